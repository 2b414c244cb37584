"""Words for sentences, from the heads of columns: what is counted, among what, in which time."""

import re

from kyphobayes.own_data.recognise import Recognised
from kyphobayes.own_data.sheet import Sheet
from kyphobayes.own_data.vocabulary import plain

EVENTS = "events"
_UNITS = (
    "patients", "levels", "vertebrae", "procedures", "participants", "subjects", "women", "men", "children",
    "people", "persons", "samples", "animals", "eyes", "implants", "knees", "hips", "hospitals", "cases",
)  # fmt: skip
_SAYS_NOTHING = frozenset(
    [
        "events",
        "event",
        "xi",
        "x",
        "cases",
        "count",
        "nevents",
        "numberofevents",
        "noofevents",
        "eventcount",
        "percent",
        "percentage",
        "%",
        "pct",
        "share",
        "proportion",
        "rate%",
        "events%",
        "affected",
        "positive",
        "prozent",
        "ereignisse",
    ]
)
_TIME = re.compile(
    r"(patient|person|catheter|device|woman|child|follow-?up)?[- _.]*(year|month|week|day)s?", re.IGNORECASE
)


def event_word(sheet: Sheet, found: Recognised) -> str:
    """What is counted, in the plural, as the events' column is called."""
    place = found.columns.get("events")
    if place is None:
        return EVENTS
    head = re.sub(r"[(\[].*", "", sheet.columns[place]).replace("_", " ").strip()
    if plain(head) in _SAYS_NOTHING or not re.fullmatch(r"[^\W\d][\w -]{2,30}", head):
        return EVENTS
    return head if head.isupper() else head[0].lower() + head[1:]


def counted_unit(sheet: Sheet, found: Recognised) -> str:
    """What n counts, where its column says so; else patients."""
    place = found.columns.get("n", found.columns.get("events"))
    head = "" if place is None else sheet.columns[place].casefold()
    return next((unit for unit in _UNITS if unit in re.split(r"\W+|_", head)), "patients")


def time_unit(head: str) -> str:
    """Unit of the time at risk, from its column's name; else patient-years."""
    if found := _TIME.search(head.casefold().replace("_", "-")):
        who = found[1] if found[1] and not found[1].startswith("follow") else "patient"
        return f"{who}-{found[2]}s"
    return "patient-years"
