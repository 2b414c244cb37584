"""Answers to the questions of the plan that are not about one pooled rate, one module for each kind.

A module of this package exports ``answer(question, project, *, seed, out, say) -> Answered``; its chapter
in the report is the module of the same name in `kyphobayes.report.chapters`.
"""

from kyphobayes.questions.answered import Answered, answer, kinds

__all__ = ["Answered", "answer", "kinds"]
