"""A folder for a review of one's own, which every command takes as its project."""

from kyphobayes.reviews.folder import Made, new_review
from kyphobayes.reviews.outcomes import KINDS

__all__ = ["KINDS", "Made", "new_review"]
