"""Rules about how many patients and levels the studies of a review have."""

import math
from fractions import Fraction
from itertools import combinations

import pandas as pd

from kyphobayes.audit.rounding import decimals, rounded
from kyphobayes.audit.rules.found import Case, Found
from kyphobayes.errors import EvidenceError

_ARMS = "arms.csv"
_MOST_ARMS = 14


def arms(case: Case) -> Found:
    """Sum the patients or levels of some arms of the studies."""
    parts = [size for _, _, size in _sizes(case, case.studies(), case.get("arms", ["BKP"]))]
    total = sum(parts)
    shown = " + ".join(map(str, parts))
    return Found(value=float(total), arithmetic=f"{shown} = {total}" if len(parts) > 1 else shown)


def combinations_of_arms(case: Case) -> Found:
    """Say which sets of whole arms of the paper's studies add up to the printed n."""
    target = int(case.row["n"])
    every = _sizes(case, _included(case), case.get("arms", ["BKP"]))
    if len(every) > _MOST_ARMS:
        raise EvidenceError(f"{case.where}: too many arms to try all their sets, {len(every)}")
    found = [
        chosen
        for k in range(1, len(every) + 1)
        for chosen in combinations(every, k)
        if sum(size for _, _, size in chosen) == target
    ]
    names = " or ".join(case.get("arms", ["BKP"]))
    if not found:
        return Found(arithmetic=f"no set of {names} arms of the {len(_included(case))} studies has {target}")
    shown = [
        " + ".join(str(size) for *_, size in chosen)
        + " ("
        + ", ".join(case.label(study) + ("" if arm == "BKP" else f" {arm}") for study, arm, _ in chosen)
        + ")"
        for chosen in found[:3]
    ]
    only = "only " if len(found) == 1 else ""
    return Found(arithmetic=f"{target} is {only}" + " or ".join(shown))


def followed(case: Case) -> Found:
    """How many can have been followed: of a study that lost 20 % or more, at most 80 %."""
    quality = case.table("risk_of_bias.csv")
    told = quality[quality["item"] == case.get("item")].set_index("study_id")["judgement"]
    most, lost, treated = 0, [], 0
    for study, _, size in _sizes(case, case.studies(), ["BKP"]):
        kept = math.floor(0.8 * size) if told.get(study) == "No" else size
        if kept < size:
            lost.append(f"{case.label(study)}, at most {kept} of {size}")
        most, treated = most + kept, treated + size
    printed = int(case.row["n"])
    words = f"{treated} were treated"
    if lost:
        words += f"; the paper's quality table says no to {case.get('item')} for {'; '.join(lost)}: "
        words += f"at most {most} were followed"
    return Found(holds=printed <= most and printed == treated, arithmetic=words, shown=f"at most {most}")


def share_of_population(case: Case) -> Found:
    """Between which shares a diagnosis lies, where some series are mixed."""
    wanted, kinds = case.get("population"), case.table("studies.csv").set_index("study_id")["population"]
    sizes = _sizes(case, _included(case), case.get("arms"))
    total = sum(size for *_, size in sizes)
    sure = sum(size for study, _, size in sizes if kinds[study] == wanted)
    mixed = [(study, size) for study, _, size in sizes if kinds[study] == "mixed"]
    open_ = sum(size for _, size in mixed)
    printed = rounded(case.row["estimate"])
    low, high = 100 * sure / total, 100 * (sure + open_) / total
    words = (
        f"{sure}/{total} = {decimals(low, 1)} % in series of {wanted} alone, at most "
        f"{sure + open_}/{total} = {decimals(high, 1)} % with all of the mixed ones"
    )
    if not low <= float(printed.high) or not float(printed.low) <= high:
        return Found(holds=False, arithmetic=words, shown=f"{decimals(low, 1)} to {decimals(high, 1)}")
    needed = [x for x in range(open_ + 1) if printed.holds(Fraction(100 * (sure + x), total))]
    names = " and ".join(dict.fromkeys(case.label(study) for study, _ in mixed))
    if not needed:
        return Found(holds=False, arithmetic=f"{words}; no whole number of {total} is {printed.text} %")
    words += f"; {printed.text} % takes {needed[0]} to {needed[-1]} of the {open_}"
    return Found(arithmetic=words, missing=f"how many patients of {names} had {wanted}")


def _included(case: Case) -> list[str]:
    studies = case.table("studies.csv")
    return studies.loc[studies["in_bouza2009"] == "yes", "study_id"].tolist()


def _sizes(case: Case, studies: list[str], wanted: list[str]) -> list[tuple[str, str, int]]:
    """Study, arm and size of every arm wanted that has one."""
    table, unit = case.table(_ARMS), case.get("unit", str(case.row["unit"]))
    if unit not in ("patients", "levels"):
        raise EvidenceError(f"{case.where}: expected unit patients or levels, found {unit!r}")
    found = []
    for study in studies:
        rows = table[(table["study_id"] == study) & table["arm"].isin(wanted)]
        for arm, size in zip(rows["arm"], rows[unit], strict=True):
            if not pd.isna(size):
                found.append((study, str(arm), int(size)))
    if not found:
        raise EvidenceError(f"{case.where}: no arm of {', '.join(studies) or 'no study'} has {unit}")
    return found
