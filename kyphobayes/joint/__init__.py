"""Two outcomes of the same studies: what they say of the correlation between studies, in numbers.

`likelihood` has the likelihood of everything with the study effects integrated out, `separate` the exact
posteriors of each outcome by itself, `correlation` what both together say of rho, `next_centre` what
follows for a centre not yet seen; `profile`, `left_out`, `simulated` and `witnesses` hold it to account.
"""
