"""XLSX workbooks, written part by part, with something wrong in one part or in the archive."""

from hypothesis import strategies as st

from tests.fuzz.cases import zipped
from tests.fuzz.texts import damaged, encoded, mutated

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATED = f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/'
SHEET = "xl/worksheets/sheet1.xml"
PARTS = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/{SHEET}" ContentType="{_TYPES}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": f'{_RELATED}officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": (
        f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Table 1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": f'{_RELATED}worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    SHEET: f"""<worksheet {_MAIN}><sheetData>
<row r="1"><c r="A1" t="inlineStr"><is><t>study</t></is></c>
<c r="B1" t="inlineStr"><is><t>events</t></is></c><c r="C1" t="inlineStr"><is><t>n</t></is></c></row>
<row r="2"><c r="A2" t="inlineStr"><is><t>A</t></is></c><c r="B2"><v>0</v></c><c r="C2"><v>32</v></c></row>
<row r="3"><c r="A3" t="str"><v>B</v></c><c r="B3"><f>2+3</f><v>5</v></c><c r="C3"><v>35</v></c></row>
<row r="4" hidden="1"><c r="A4" t="str"><v>C</v></c><c r="B4"><v>4</v></c><c r="C4"><v>19</v></c></row>
</sheetData><mergeCells count="1"><mergeCell ref="E1:F2"/></mergeCells></worksheet>""",
}


@st.composite
def workbooks(draw: st.DrawFn) -> bytes:
    """A workbook with something wrong in one part, or in the archive."""
    parts = {name: text.encode() for name, text in PARTS.items()}
    if draw(st.integers(0, 3)) == 0:
        return draw(damaged(zipped(parts)))
    name = draw(st.sampled_from([*PARTS, *[SHEET] * 5]))
    return zipped({**parts, name: draw(encoded(mutated([PARTS[name]])))})
