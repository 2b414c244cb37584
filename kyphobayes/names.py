"""The words of the field, spelled once.

Variables, dimensions, groups and measures have these names in every model, table and fit.
"""

from typing import Final

# What people read in a posterior.
MU: Final = "mu"  # the centre of the population of studies
TAU: Final = "tau"  # the standard deviation between studies
THETA: Final = "theta"  # the effects of the studies at hand
THETA_NEW: Final = "theta_new"  # the effect in a study not yet done
EVENTS: Final = "events"  # counts that are printed
EVENTS_LATENT: Final = "events_latent"  # counts that are not printed
EVENTS_1: Final = "events_1"  # counts of two arms
EVENTS_2: Final = "events_2"
Y: Final = "y"  # an estimate with a standard error

GLOBALS: Final = (MU, TAU)  # what has a prior of its own
AGGREGATE: Final = (MU, TAU, THETA_NEW)  # what a summary shows, in this order

# Dimensions.
STUDY: Final = "study"
REPORTED: Final = "reported"  # the studies whose counts are printed
LATENT: Final = "latent"  # the studies whose counts are not
TABLE: Final = "table"  # the count tables that agree with everything printed

# Effect measures, by metafor's codes.
PLO: Final = "PLO"  # log odds of a proportion
IRLN: Final = "IRLN"  # log of an incidence rate
GEN: Final = "GEN"  # any estimate with a standard error
OR: Final = "OR"  # log odds ratio of two arms

# Log ratios, and what they are the logarithms of.
RATIOS: Final = {
    OR: "odds ratio",
    "RR": "risk ratio",
    "IRR": "rate ratio",
    "HR": "hazard ratio",
    "ROM": "ratio of means",
    "ROMC": "ratio of means",
}

MEASURE_LABELS: Final = {
    PLO: "log odds of a proportion",
    IRLN: "log incidence rate",
    GEN: "estimate on its own scale",
    OR: "log odds ratio",
    "RR": "log risk ratio",
    "HR": "log hazard ratio",
    "IRR": "log rate ratio",
    "ROM": "log ratio of means",
    "ROMC": "log ratio of means, after to before",
    "RD": "difference of two proportions",
    "IRD": "difference of two rates",
    "MD": "difference of two means",
    "SMD": "standardised difference of two means",
    "SMDH": "standardised difference of two means, unequal variances",
    "MC": "mean change",
    "SMCC": "mean change in standard deviations of the changes",
    "SMCR": "mean change in standard deviations before",
    "SMCRH": "mean change in standard deviations before, unequal variances",
}

PROB: Final = 0.95  # the probability of every interval (ArviZ 1.x would say 0.89)
