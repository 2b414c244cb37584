"""Checks read fits and never make them; each returns passed, a sentence and a table."""

from kyphobayes.checks.check import Check

__all__ = ["Check"]
