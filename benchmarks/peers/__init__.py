"""This package beside R's metafor, brms and bayesmeta: the same studies, the same priors, one run.

`python -m benchmarks.peers` needs R with metafor, lme4, brms and jsonlite (in Debian: r-cran-metafor,
r-cran-lme4, r-cran-brms, r-cran-jsonlite). It takes a few minutes, most of them brms's
compilation of its models.
"""
