"""Chapters of the report on questions that are not about one pooled rate, one module for each kind.

A module of this package exports ``chapter(answered) -> Chapter``.
"""

from kyphobayes.report.chapters.chapter import Chapter, Part, Plate, chapter_of

__all__ = ["Chapter", "Part", "Plate", "chapter_of"]
