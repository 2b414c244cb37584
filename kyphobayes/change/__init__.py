"""Means before and after treatment across studies: what posteriors of `models/pre_post_change.py` say."""

from kyphobayes.change.draws import Draws

__all__ = ["Draws"]
