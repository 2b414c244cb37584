"""Numbers of sections, tables and figures, and references to them, in every way of showing a document."""

import re

import pandas as pd
import pytest
from markupsafe import Markup

from kyphobayes.report.document import (
    Code,
    Copied,
    Document,
    Fold,
    Items,
    Picture,
    Ref,
    Section,
    Shown,
    Terms,
    numbered,
    text,
)
from kyphobayes.report.html import to_html
from kyphobayes.report.markdown import escaped, to_markdown
from kyphobayes.report.tables import Column, Table

HOSTILE = "a|b <script>alert(1)</script> *c* `d` [e](javascript:f) =g()"


def table(name, cell="1"):
    columns = (Column("Head", lambda row: row["x"]), Column("n", lambda row: "2", True))
    return Table(name, f"Caption of {name}", pd.DataFrame({"x": [cell]}), columns)


def document(*sections):
    return Document("Title", "Kicker", "Lead", (), sections, "End")


@pytest.fixture(scope="module")
def made():
    picture = Picture("p", Markup("<svg></svg>"), "alt", "Head.", ("see ", Ref("table-b")))
    lazy = Shown("b", lambda numbers: table("b", numbers["figure-p"].label))
    first = Section(
        "one", "One", (text("see ", Ref("inner"), " and ", Ref("table-b")), Shown("a", table("a")))
    )
    inner = Section("inner", "Inner", (Fold("More", (picture,)),))
    return document(first, Section("two", "Two", (inner, lazy)))


def test_numbers_follow_the_order_of_reading(made):
    numbers = numbered(made)
    assert {anchor: number.label for anchor, number in numbers.items()} == {
        "one": "Section 1",
        "two": "Section 2",
        "inner": "Section 2.1",
        "table-a": "Table S1",
        "figure-p": "Figure S1",
        "table-b": "Table S2",
    }


def test_references_are_shown_as_numbers_and_linked(made):
    page, markdown = to_html(made, numbered(made)), to_markdown(made, numbered(made))
    assert '<a href="#inner">Section 2.1</a> and <a href="#table-b">Table S2</a>' in page
    assert "[Section 2.1](#inner) and [Table S2](#table-b)" in markdown
    assert "Figure S1</th>" in page and "| Figure S1 |" in markdown  # a cell that was made when it was known


def test_two_of_one_name_are_refused():
    twice = document(Section("one", "One", (Shown("a", table("a")), Shown("a", table("a")))))
    with pytest.raises(ValueError, match=r"'table-a' is the name of Table S1 and of Table S2"):
        numbered(twice)


def test_a_reference_to_nothing_is_refused():
    with pytest.raises(ValueError, match="'nowhere', which is no section"):
        numbered(document(Section("one", "One", (text("see ", Ref("nowhere")),))))


def test_whatever_labels_hold_is_text_everywhere():
    blocks = (
        text(HOSTILE),
        Items(((HOSTILE,),)),
        Terms(((HOSTILE, HOSTILE),)),
        Shown("a", table("a", HOSTILE)),
        Code("code", f"x <- {HOSTILE}\n```\n", "r", "r/x.R"),
        Copied("copied", (HOSTILE,)),
        Fold(HOSTILE, (text(HOSTILE),)),
    )
    made = document(Section("one", HOSTILE, blocks))
    page, markdown = to_html(made, numbered(made)), to_markdown(made, numbered(made))
    assert page.count("<script") == 1 and "&lt;script&gt;" in page  # the one is our own
    fence = markdown.index("````r")
    code = markdown[fence : markdown.index("````", fence + 5)]
    assert HOSTILE in code
    outside = markdown.replace(code, "")
    assert "<script" not in outside and not re.search(r"(?<!\\)\]\(javascript", outside)
    row = next(line for line in markdown.splitlines() if line.startswith("| a"))
    assert row == f"| {escaped(HOSTILE)} | 2 |"


def test_a_space_before_a_percent_sign_does_not_break():
    made = document(Section("one", "One", (text("95 % of all"),)))
    assert "95\u00a0% of all" in to_html(made, numbered(made))


def test_code_can_be_copied_and_is_in_a_file():
    made = document(Section("one", "One", (Code("code", "1 < 2", "r", "r/x.R"),)))
    page = to_html(made, numbered(made))
    assert 'data-source="code"' in page and "<code>1 &lt; 2</code>" in page and 'href="r/x.R"' in page
