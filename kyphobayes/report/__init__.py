"""The report: one self-contained page (or Markdown, or PDF), its figures, tables and code.

>>> from kyphobayes.report import write_report  # doctest: +SKIP
>>> write_report(results, Path("results"))  # doctest: +SKIP
"""

from kyphobayes.report.page import write_report
from kyphobayes.report.pdf import write_pdf

__all__ = ["write_pdf", "write_report"]
