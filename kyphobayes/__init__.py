"""Bayesian evidence synthesis: exact posteriors, NUTS and a frequentist witness on the same evidence."""

__version__ = "0.1.0"
