"""Which column holds what, and of which kind the data are: said by the user, or recognised and told."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kyphobayes.errors import EvidenceError
from kyphobayes.own_data.cells import is_day, is_missing, is_number, parse
from kyphobayes.own_data.kinds import KINDS, ROLES, SECOND, Kind, option
from kyphobayes.own_data.sheet import Sheet, letter, listed, shown
from kyphobayes.own_data.vocabulary import plain, roles_of, two_groups, two_times
from kyphobayes.toml_files import nearest

NAMING = ("study", "year", "by")  # roles that name rows and hold no numbers


@dataclass(frozen=True)
class Recognised:
    """A table's columns by what they hold.

    Attributes
    ----------
    kind : Kind
    columns : dict of str to int
        Place of the column of each role that is read. A role whose numbers stand in the cells of another
        column (n in 5/35) has none.
    study : tuple of int
        Places of the columns that name the study; empty where the rows are numbered.
    year, by : int or None
    sentence : str
        What was recognised: "read as counts: events = xi, n = ni, study = author + year".
    """

    kind: Kind
    columns: dict[str, int]
    study: tuple[int, ...]
    year: int | None
    by: int | None
    sentence: str


def recognise(sheet: Sheet, said: Mapping[str, str]) -> Recognised:
    """Find the column of each role.

    Parameters
    ----------
    sheet : Sheet
    said : mapping of str to str
        Role to column, where the user said so: a head, in any case, or a letter.

    Raises
    ------
    EvidenceError
        If a column is not there, two could be meant, or no kind of data is complete; the message names the
        candidates and the option to give.
    """
    for role in said:
        if role not in ROLES and role not in NAMING:
            raise EvidenceError(f"no role {role!r}; {nearest(role, [*NAMING, *ROLES])}")
    given = {role: _place(sheet, role, name) for role, name in said.items() if role in ROLES}
    candidates = _candidates(sheet, given)
    named = {role: places for role, places in candidates.items() if role in ROLES and role not in given}
    numeric = {role: [place for place in places if _numeric(sheet, place)] for role, places in named.items()}
    numeric = {role: places for role, places in numeric.items() if places}
    # Columns of numbers first; where they are not enough, what is named right, to be refused by its cells.
    kind, read = _kind(sheet, given, numeric), numeric
    if kind is None:
        kind, read = _kind(sheet, given, named), named
    if kind is None:
        raise EvidenceError(f"{sheet.name}: {_nothing(sheet, given, named)}")
    columns = _columns(sheet, kind, given, read)
    study, year, by = _naming(sheet, said, candidates, set(columns.values()))
    heads = [f"{role} = {_head(sheet, place)}" for role, place in columns.items()]
    named = " + ".join(_head(sheet, place) for place in (*study, *([] if year is None else [year])))
    sentence = f"read as {kind.name}: {', '.join(heads)}, study = {named or 'row numbers'}"
    return Recognised(kind, columns, study, year, by, sentence)


def _head(sheet: Sheet, place: int) -> str:
    return shown(sheet.columns[place], quoted=False) if sheet.columns[place] else f"column {letter(place)}"


def _place(sheet: Sheet, role: str, name: str) -> int:
    """Place of the column that the user means by a head or a letter."""
    name = name.strip()
    for form in (str, str.casefold, plain):
        wanted = form(name)
        found = [place for place, head in enumerate(sheet.columns) if wanted and form(head) == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            where = listed([sheet.column(place) for place in found])
            raise EvidenceError(
                f"{sheet.name}: {option(role)} {name}: expected one such column, found {where}; "
                "give the letter "
                f"of one, such as {option(role)} {letter(found[0])}"
            )
    if sheet.letters and re.fullmatch(r"[A-Z]{1,2}", name):
        letters = [letter(place) for place in range(len(sheet.columns))]
        if name in letters:
            return letters.index(name)
    heads = [head for head in sheet.columns if head]
    raise EvidenceError(f"{sheet.name}: {option(role)}: no column {name!r}; {nearest(name, heads)}")


def _candidates(sheet: Sheet, given: Mapping[str, int]) -> dict[str, list[int]]:
    """Columns that may hold each role, by their names, or by their cells where no name says it."""
    found: dict[str, list[int]] = {}
    for place, head in enumerate(sheet.columns):
        if place in given.values():
            continue
        for role in roles_of(head, sheet.columns):
            found.setdefault(role, []).append(place)
    for role, place in (two_groups(sheet.columns) | two_times(sheet.columns)).items():
        if not {role, role[:-1]} & {*found, *given} and place not in given.values():
            found[role] = [place]
    counted = {"events", "events1", "events2", "percent", "y"}.isdisjoint({*found, *given})
    if counted and len(alone := _free(_fractions(sheet), given)) == 1:
        found["events"] = alone  # by its cells, such as 5/35, since no name says what is counted
    elif counted and len(alone := _free(_percentages(sheet), given)) == 1:
        found["percent"] = alone
    return found


def _free(places: list[int], given: Mapping[str, int]) -> list[int]:
    return [place for place in places if place not in given.values()]


def _numeric(sheet: Sheet, place: int) -> bool:
    """Whether there are cells that say something, and most have the form of a number."""
    cells = [row[place] for row in sheet.rows if not is_missing(row[place])]
    return sum(is_number(cell) or is_day(cell) for cell in cells) * 2 > len(cells)


def _supplied(sheet: Sheet, columns: Mapping[str, int | list[int]]) -> set[str]:
    """Roles whose numbers stand in the cells of another role's column."""
    found: set[str] = set()
    for role, seconds in SECOND.items():
        place = columns.get(role)
        if place is None:
            continue
        for each in [place] if isinstance(place, int) else place:
            parts = [parse(row[each]) for row in sheet.rows]
            known = [one for one in parts if one is not None]
            if (role.startswith("events") and any(one.of for one in known)) or (
                role == "y" and any(one.low for one in known)
            ):
                found.update(seconds)
            elif role == "y" and any(one.bracket for one in known):
                found.add("se")
            elif role.startswith("mean") and any(one.bracket for one in known):
                found.update(seconds)
    return found


def _complete(roles: tuple[str, ...], have: set[str]) -> bool:
    return all(role in have for role in roles)


def _fitting(said: set[str]) -> list[Kind]:
    """Kinds that read all roles that the user named."""
    return [kind for kind in KINDS.values() if said <= kind.roles]


def _kind(sheet: Sheet, given: Mapping[str, int], candidates: Mapping[str, list[int]]) -> Kind | None:
    """The one kind that is complete; None if none is.

    Raises
    ------
    EvidenceError
        If there are several.
    """
    said = set(given)
    have = said | set(candidates) | _supplied(sheet, {**candidates, **given})
    found = [kind for kind in _fitting(said) if any(_complete(roles, have) for roles in kind.columns)]
    if said:  # a kind that needs what is said comes before one that only may read it
        needing = [k for k in found if any(said <= set(r) and _complete(r, have) for r in k.columns)]
        found = needing or found
    if len(found) > 1:
        raise EvidenceError(f"{sheet.name}: {_ambiguous(sheet, found, candidates, said)}")
    return found[0] if found else None


def _nothing(sheet: Sheet, given: Mapping[str, int], candidates: Mapping[str, list[int]]) -> str:
    """Why a table cannot be read, and which option would help."""
    said = set(given)
    if not _fitting(said):
        return f"{listed([option(role) for role in given])} are never read together; {_what_is_read()}"
    if pairs := _fractions(sheet):
        heads = listed([sheet.column(place) for place in pairs])
        return (
            f"cells such as {shown(_first_fraction(sheet, pairs[0]))} stand in {heads}; say what they are "
            f"with --events, or with --events1 and --events2 for two arms"
        )
    return _missing(sheet, _fitting(said), said | set(candidates), said)


def _ambiguous(sheet: Sheet, kinds: list[Kind], candidates: Mapping[str, list[int]], said: set[str]) -> str:
    ways = []
    for kind in kinds:
        roles = next((r for r in kind.columns if _complete(r, said | set(candidates))), kind.columns[0])
        options = [
            f"{option(role)} {_quoted(sheet.columns[candidates[role][0]])}"
            for role in roles
            if role in candidates and role not in said
        ]
        ways.append(f"{kind.name} ({' '.join(options)})")
    return f"can be read as {listed(ways, 'or as')}; give the options of one"


def _quoted(head: str) -> str:
    return f"'{head}'" if re.search(r"[^\w.%-]", head) else head


def _missing(sheet: Sheet, kinds: list[Kind], have: set[str], said: set[str]) -> str:
    """What would make a kind complete: that with the fewest roles missing."""
    ways = [(kind, roles) for kind in kinds for roles in kind.columns if said <= set(roles) | set(kind.more)]
    heads = listed([head or f"(column {letter(p)})" for p, head in enumerate(sheet.columns)], most=20)
    nearest_way = min(ways, key=lambda way: len(set(way[1]) - have) - len(set(way[1]) & have), default=None)
    if nearest_way is None or not set(nearest_way[1]) & have:
        return f"no column is recognised among {heads}; {_what_is_read()}"
    kind, roles = nearest_way
    needed = [role for role in roles if role not in have]
    return (
        f"to be read as {kind.name} it lacks {listed([role.replace('_', ' ') for role in needed])} "
        f"among {heads}; "
        f"name the column with {listed([option(role) for role in needed])}"
    )


def _what_is_read() -> str:
    return (
        "give --events and --n (counts), --events and --time (rates), --y and --se, --v or --ci-low and "
        "--ci-high (estimates), --events1 --n1 --events2 --n2 (two arms), or --mean-pre --sd-pre --mean-post "
        "--sd-post --n (before and after)"
    )


def _columns(
    sheet: Sheet, kind: Kind, given: Mapping[str, int], candidates: Mapping[str, list[int]]
) -> dict[str, int]:
    """One column for each role of a kind that has one."""
    columns = dict(given)
    have = set(columns) | set(candidates) | _supplied(sheet, {**candidates, **given})
    ways = [roles for roles in kind.columns if _complete(roles, have)]
    said = [roles for roles in ways if set(given) & set(roles) == set(given) - set(kind.more)]
    roles = (said or ways)[0]
    for role in (*roles, *kind.more):
        places = candidates.get(role, [])
        if role in columns or not places:
            continue
        if len(places) > 1:
            where = listed([sheet.column(place) for place in places], "or")
            raise EvidenceError(
                f"{sheet.name}: {role.replace('_', ' ')} could be {where}; say which with {option(role)}"
            )
        columns[role] = places[0]
    twice = [place for place in columns.values() if list(columns.values()).count(place) > 1]
    if twice:
        both = listed([option(role) for role, place in columns.items() if place == twice[0]])
        raise EvidenceError(f"{sheet.name}: {sheet.column(twice[0])} is given for {both}; expected one each")
    return columns


def _naming(
    sheet: Sheet, said: Mapping[str, str], candidates: Mapping[str, list[int]], taken: set[int]
) -> tuple[tuple[int, ...], int | None, int | None]:
    """Columns that name the studies, their year and their group."""
    by = _place(sheet, "by", said["by"]) if "by" in said else None
    if "study" in said:
        try:
            study = (_place(sheet, "study", said["study"]),)
        except EvidenceError:
            if "+" not in said["study"]:
                raise
            study = tuple(_place(sheet, "study", part) for part in said["study"].split("+"))
        year = _place(sheet, "year", said["year"]) if "year" in said else None
        return study, year, by
    filled = [p for p in range(len(sheet.columns)) if any(not is_missing(row[p]) for row in sheet.rows)]
    names = [place for place in candidates.get("study", []) if place not in taken and place in filled]
    names = [place for place in names if not _numeric(sheet, place)] or names  # an author before a number
    if len(names) > 1:
        # Several columns may name a study: author and trial. The first whose cells all differ will do.
        names = [place for place in names if _distinct(sheet, place)] or names
    if not names:
        names = [
            place for place in _texts(sheet) if place not in taken and place != by and _distinct(sheet, place)
        ]
    study = tuple(names[:1])
    years = [place for place in candidates.get("year", []) if place not in taken and place in filled]
    year = _place(sheet, "year", said["year"]) if "year" in said else (years[0] if years and study else None)
    return study, year, by


def _distinct(sheet: Sheet, place: int) -> bool:
    cells = [row[place] for row in sheet.rows if not is_missing(row[place])]
    return len(set(cells)) == len(cells) > 0


def _texts(sheet: Sheet) -> Iterator[int]:
    for place in range(len(sheet.columns)):
        if sheet.columns[place] and not _numeric(sheet, place):
            yield place


def _fractions(sheet: Sheet) -> list[int]:
    """Columns of fractions such as 5/35, of which a spreadsheet may have made days."""
    found = []
    for place in range(len(sheet.columns)):
        cells = [row[place] for row in sheet.rows if not is_missing(row[place])]
        fractions = sum((parts := parse(cell)) is not None and bool(parts.of) for cell in cells)
        if fractions and (fractions + sum(map(is_day, cells))) * 2 > len(cells):
            found.append(place)
    return found


def _percentages(sheet: Sheet) -> list[int]:
    """Columns of percentages, by the signs in their cells or their head."""
    found = []
    for place, head in enumerate(sheet.columns):
        parts = [parse(row[place]) for row in sheet.rows if not is_missing(row[place])]
        known = [one for one in parts if one is not None and not one.of and not one.share]
        if (
            known
            and len(known) * 2 > len(parts)
            and ("%" in head or sum(one.percent for one in known) * 2 > len(parts))
        ):
            found.append(place)
    return found


def _first_fraction(sheet: Sheet, place: int) -> str:
    return next(row[place] for row in sheet.rows if (p := parse(row[place])) is not None and p.of)
