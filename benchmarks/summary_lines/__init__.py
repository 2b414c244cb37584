"""Proof of `kyphobayes.reconstruct.summary_likelihood`: python -m benchmarks.summary_lines."""
