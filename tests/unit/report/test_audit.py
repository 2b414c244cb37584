"""The section on what the papers print."""

import re

from kyphobayes.audit import audit, counts
from kyphobayes.project import Project
from kyphobayes.report.audit import audited


def test_the_sentence_and_the_tables_have_every_claim(project):
    claims, shown = audit(project), audited(project)
    numbers = counts(claims)
    assert f"Of {len(claims)} figures" in shown.sentence
    for number in numbers.values():
        assert re.search(rf"\b{number}\b", shown.sentence)
    assert len(shown.every) == len(claims)
    table = {t.name: t for t in shown.tables}
    assert list(table) == ["audit-counts", "audit-not-reproduced", "audit-readings"]
    total = table["audit-counts"].frame.set_index("paper").loc["All"]
    assert total.to_dict() == numbers
    assert len(table["audit-not-reproduced"].cells) == numbers["not reproduced"]
    assert len(table["audit-readings"].cells) == numbers["reproduced under a stated reading"]
    for t in table.values():
        assert all(cell for row in t.cells for cell in row)


def test_a_project_without_printed_figures_has_no_section(tmp_path):
    for folder in ("data", "models"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / "datapackage.json").write_text('{"resources": []}', encoding="utf-8")
    assert audited(Project(tmp_path)) is None
