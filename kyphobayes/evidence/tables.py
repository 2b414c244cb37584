"""Reading a table and holding it to its schema in ``data/datapackage.json``.

The schema is declared once, in the Frictionless descriptor; the pandera schema is made from it.
Every failure names the file, the row (as a text editor counts lines), the column, what was expected
and what was found.
"""

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from kyphobayes.csv_files import read_text
from kyphobayes.errors import EvidenceError
from kyphobayes.project import Project

if TYPE_CHECKING:
    import pandera.pandas as pa

_LONGEST_SHOWN = 60


@lru_cache(maxsize=8)
def describe(project: Project) -> dict[str, dict[str, Any]]:
    """Table schema of every resource in ``data/datapackage.json``, by its path."""
    path = project.data / "datapackage.json"
    try:
        resources = json.loads(path.read_text(encoding="utf-8-sig"))["resources"]
        schemas = {resource["path"]: resource["schema"] for resource in resources}
        for schema in schemas.values():  # what is read here must be there
            [(field["name"], field["type"]) for field in schema["fields"]]
        return schemas
    except FileNotFoundError:
        raise EvidenceError("data/datapackage.json: no such file; it describes every table") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise EvidenceError(f"data/datapackage.json: not a data package descriptor: {problem!r}") from None


def read_table(project: Project, path: str) -> pd.DataFrame:
    """Read and validate one table.

    Parameters
    ----------
    project : Project
    path : str
        Relative to ``data/``, as in the descriptor, such as ``outcomes/cement_leakage.csv``.

    Returns
    -------
    DataFrame
        Text columns as str (empty where nothing is printed), numbers as float with NaN for empty.
        ``line`` is the line of the file. Where the schema says ``"fieldsMatch": "subset"``, columns that
        it does not describe are kept as text.

    Raises
    ------
    EvidenceError
    """
    schema = describe(project).get(path)
    if schema is None:
        known = ", ".join(describe(project))
        raise EvidenceError(f"data/{path}: not described in data/datapackage.json, which has {known}")
    table = read_text(project.data / path, f"data/{path}")
    fields = schema["fields"]
    _check_columns(path, list(table.columns), schema)
    for field in fields:
        if field["type"] in ("integer", "number"):
            table[field["name"]] = _numbers(table[field["name"]], path, field)
    _validate(table, path, schema)
    return table.assign(line=table.index).reset_index(drop=True)


def _check_columns(path: str, found: list[str], schema: dict[str, Any]) -> None:
    """Hold the header to the schema: exactly its fields, or at least these where it says ``subset``."""
    expected = [field["name"] for field in schema["fields"]]
    missing = [column for column in expected if column not in found]
    extra = [column for column in found if column not in expected]
    twice = [column for column in found if found.count(column) > 1]
    if schema.get("fieldsMatch") == "subset" and not missing and not twice:
        return
    if found != expected:
        detail = f"missing {missing}" if missing else f"unexpected {extra}" if extra else "in another order"
        if twice:
            detail = f"there more than once: {twice[0]!r}"
        raise EvidenceError(
            f"data/{path}, line 1: columns are {detail}; expected {', '.join(expected)}, as in "
            f"data/datapackage.json"
        )


def _numbers(cells: pd.Series, path: str, field: dict[str, Any]) -> pd.Series:
    whole = field["type"] == "integer"
    numbers = pd.to_numeric(cells.where(cells != "", "nan"), errors="coerce").astype(float)
    bad = (numbers.isna() | numbers.abs().eq(float("inf"))) & (cells != "")
    if whole:
        bad |= numbers.notna() & (numbers != numbers.round())
    if bad.any():
        kind = "a whole number" if whole else "a number"
        raise _at(path, bad.idxmax(), field["name"], f"{kind} or nothing", cells[bad].iloc[0])
    return numbers


def _validate(table: pd.DataFrame, path: str, schema: dict[str, Any]) -> None:
    import pandera.pandas as pa  # here, because it takes as long to import as all the rest

    columns = {field["name"]: _column(field) for field in schema["fields"]}
    try:
        pa.DataFrameSchema(columns, unique=schema.get("primaryKey")).validate(table, lazy=True)
    except pa.errors.SchemaErrors as problem:
        cases = problem.failure_cases
        case = cases.sort_values("index", na_position="last").iloc[0]
        row = table.index[0] if pd.isna(case["index"]) else case["index"]
        if case["schema_context"] == "DataFrameSchema":
            keys = ", ".join(schema.get("primaryKey", []))
            found = ", ".join(str(table.loc[row, key]) for key in schema.get("primaryKey", []))
            raise _at(path, row, keys, "a combination that no other row has", found) from None
        raise _at(path, row, str(case["column"]), str(case["check"]), case["failure_case"]) from None


def _column(field: dict[str, Any]) -> "pa.Column":
    import pandera.pandas as pa

    rules = field.get("constraints", {})
    checks = []
    if "enum" in rules:
        allowed = [*rules["enum"], *([] if rules.get("required") else [""])]
        checks.append(pa.Check.isin(allowed, error=f"one of {', '.join(rules['enum'])}"))
    elif field["type"] == "string" and (rules.get("required") or rules.get("minLength")):
        checks.append(pa.Check.str_length(min_value=1, error="some text"))
    if "minimum" in rules:
        checks.append(pa.Check.ge(rules["minimum"], error=f"at least {rules['minimum']}"))
    if "maximum" in rules:
        checks.append(pa.Check.le(rules["maximum"], error=f"at most {rules['maximum']}"))
    if rules.get("unique"):
        checks.append(pa.Check(lambda column: ~column.duplicated(), error="a value no other row has"))
    text = field["type"] == "string"
    needed = text or bool(rules.get("required"))
    return pa.Column(str if text else float, checks, nullable=not needed)


def _at(path: str, row: object, column: str, expected: str, found: object) -> EvidenceError:
    shown = str(found)
    if len(shown) > _LONGEST_SHOWN:
        shown = shown[:_LONGEST_SHOWN] + "…"
    return EvidenceError(f"data/{path}, line {row}, column {column}: expected {expected}, found {shown!r}")
