"""The report: one self-contained page, its figures and its tables.

>>> from kyphobayes.report import write_report  # doctest: +SKIP
>>> write_report(results, Path("results"))  # doctest: +SKIP
"""

from kyphobayes.report.page import write_report

__all__ = ["write_report"]
