"""What people call their columns: metafor's and meta's names, RevMan's exports, own tables, plain words.

Names are compared without case, accents, punctuation and blanks. A name that means two things among these
("ci" is the events of metafor's second group, and an interval) is taken only beside its companions.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Final

_ARMS = {
    "1": "1 e exp experimental intervention treatment treated active group1 arm1",
    "2": "2 c ctrl control placebo comparator comparison untreated group2 arm2 standard",
}
_TIMES = {
    "pre": "pre before baseline preop preoperative t0",
    "post": "post after postop postoperative final end followup last",
}
_QUANTITIES = {
    "events": "events event cases responders nevents numberofevents deaths",
    "n": "n total samplesize patients participants subjects size number",
    "mean": "mean m average",
    "sd": "sd stddev standarddeviation",
    "time": "time personyears patientyears exposure persontime py",
}


def plain(name: str) -> str:
    """A column's name without case, accents, punctuation and blanks."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9%]", "", "".join(c for c in letters if not unicodedata.combining(c)))


def _both_orders(quantity: str, words: str) -> set[str]:
    pairs = list(product(_QUANTITIES[quantity].split(), words.split()))
    return {a + b for a, b in pairs} | {b + a for a, b in pairs}


def _words(text: str) -> set[str]:
    return set(text.split())


NAMES: Final[dict[str, set[str]]] = {
    "study": _words(
        "study studies studyid studyname studlab slab trial author authors firstauthor reference "
        "source label "
        "studyorsubgroup studie autor autoren etude estudio name paper publication"
    ),
    "year": _words("year studyyear publicationyear pubyear yearpublished yr jahr annee"),
    "events": _words(
        "events event xi x cases responders nevents numberofevents noofevents eventcount leaks "
        "leaksn leakage "
        "deaths fractures complications failures successes infections recurrences affected positive "
        "ereignisse"
    ),
    "n": _words(
        "n ni total ntotal totaln samplesize size patients participants subjects levels vertebrae procedures "
        "npatients numberofpatients noofpatients numberofparticipants denominator populationatrisk "
        "patiententotal gesamt fallzahl nobs"
    ),
    "percent": _words("percent percentage % pct share proportion rate% events% prozent"),
    "time": _words(
        "time ti personyears patientyears persontime exposure timeatrisk py personmonths "
        "patientmonths persondays "
        "patientdays catheterdays devicedays patientyearsatrisk personyearsatrisk followupyears"
    ),
    "y": _words(
        "yi y te effect effekt effectsize estimate es beta coef coefficient g hedgesg d cohensd smd "
        "md meandifference "
        "logor lnor logoddsratio logrr lnrr logriskratio loghr lnhr loghazardratio logirr or oddsratio rr "
        "riskratio relativerisk hr hazardratio irr rateratio rd riskdifference meanchange change difference"
    ),
    "se": _words(
        "sei se sete standarderror stderr seeffect seestimate selogor selnor selogrr selnrr seloghr selnhr "
        "seoflogor seyi sey semd sesmd"
    ),
    "v": _words("vi v var variance samplingvariance varte vary"),
    "ci_low": _words(
        "cilow cilower cilb lower lowerci lcl ll cistart lower95 lower95ci 95cilower 95%cilower "
        "lowerlimit lci "
        "lo low cil low95 l95 95ll lowercl cimin 95cilow"
    ),
    "ci_high": _words(
        "cihigh ciupper ciub upper upperci ucl ul ciend upper95 upper95ci 95ciupper 95%ciupper "
        "upperlimit uci "
        "hi high ciu high95 u95 95ul uppercl cimax 95cihigh"
    ),
    "events1": {"ai", "x1i", "tpos", "eventtreat", "eventtreatment"} | _both_orders("events", _ARMS["1"]),
    "n1": {"n1i"} | _both_orders("n", _ARMS["1"]),
    "rest1": {"bi", "tneg"},
    "events2": {"ci", "x2i", "cpos"} | _both_orders("events", _ARMS["2"]),
    "n2": {"n2i"} | _both_orders("n", _ARMS["2"]),
    "rest2": {"di", "cneg"},
    "time1": {"t1i"} | _both_orders("time", _ARMS["1"]),
    "time2": {"t2i"} | _both_orders("time", _ARMS["2"]),
    "mean": {"mean", "mi", "average"},
    "sd": {"sd", "sdi", "stddev", "standarddeviation"},
    "mean1": {"m1i"} | _both_orders("mean", _ARMS["1"]),
    "sd1": {"sd1i"} | _both_orders("sd", _ARMS["1"]),
    "mean2": {"m2i"} | _both_orders("mean", _ARMS["2"]),
    "sd2": {"sd2i"} | _both_orders("sd", _ARMS["2"]),
    "mean_pre": {"mpre"} | _both_orders("mean", _TIMES["pre"]),
    "sd_pre": _both_orders("sd", _TIMES["pre"]),
    "mean_post": {"mpost"} | _both_orders("mean", _TIMES["post"]),
    "sd_post": _both_orders("sd", _TIMES["post"]),
    "r": {"ri", "r", "cor", "corr", "correlation", "rho"},
}

# metafor's names of two groups that are two times where one n and a correlation stand beside them.
TWO_TIMES: Final = {"m1i": "mean_pre", "sd1i": "sd_pre", "m2i": "mean_post", "sd2i": "sd_post"}
_BESIDE_TIMES: Final = ("ni", "ri")
_BESIDE_CI: Final = ("ai", "bi", "n1i")  # one of them makes "ci" the events of a second group

# Of an estimate by its column's name: the measure, and whether it is a logarithm (None: not said).
_DIFFERENCES = {
    "SMD": "smd g hedgesg d cohensd",
    "MD": "md meandifference",
    "MC": "meanchange",
    "RD": "rd riskdifference",
}
_LOGARITHMS = {
    "OR": "logor lnor logoddsratio",
    "RR": "logrr lnrr logriskratio",
    "HR": "loghr lnhr loghazardratio",
    "IRR": "logirr lnirr",
}
_RATIOS = {
    "OR": "or oddsratio",
    "RR": "rr riskratio relativerisk",
    "HR": "hr hazardratio",
    "IRR": "irr rateratio",
}
ESTIMATES: Final[dict[str, tuple[str, bool | None]]] = {
    name: (measure, log)
    for names, log in ((_DIFFERENCES, None), (_LOGARITHMS, True), (_RATIOS, False))
    for measure, text in names.items()
    for name in text.split()
}
LOGARITHMS: Final = frozenset({"yi", "te"})  # metafor and meta hold ratios as logarithms

_BRACKETS = re.compile(r"\s*[(\[{][^()\[\]{}]*[)\]}]")


def roles_of(head: str, others: Iterable[str]) -> list[str]:
    """Roles that a column's name can stand for, beside the names of the others.

    The part in brackets, such as a unit, counts only where the whole says nothing.
    """
    beside = {plain(name) for name in others}
    for name in dict.fromkeys((plain(head), plain(_BRACKETS.sub("", head)))):
        if name in TWO_TIMES and beside.issuperset(_BESIDE_TIMES):
            return [TWO_TIMES[name]]
        if name == "ci" and not beside.intersection(_BESIDE_CI):
            return []
        found = [role for role, names in NAMES.items() if name and name in names]
        if found:
            return found
    return []


def estimate_named(head: str) -> tuple[str, bool | None]:
    """Measure that an estimate's column is named after, and whether it says log; "" and None if not."""
    for name in (plain(head), plain(_BRACKETS.sub("", head))):
        if name in ESTIMATES:
            return ESTIMATES[name]
        if name in LOGARITHMS:
            return "", True
    return "", None


def two_groups(heads: Sequence[str]) -> dict[str, int]:
    """Columns of two arms that have names of their own: "Drug A Events", "Drug A Total", "Drug B Events", ...

    The name may stand before or after what is counted. The arm that is called a control is the second; else
    they stand in the order of the columns. Empty unless there are two groups with the same quantities.
    """
    groups: dict[str, dict[str, int]] = {}
    for place, head in enumerate(heads):
        words = re.split(r"[ _.]+", _BRACKETS.sub("", head).strip())
        for quantity_word, rest in ((words[-1], words[:-1]), (words[0], words[1:])):
            quantity = next(
                (q for q, known in _QUANTITIES.items() if plain(quantity_word) in known.split()), None
            )
            if rest and quantity:
                groups.setdefault(plain("".join(rest)), {}).setdefault(quantity, place)
                break
    complete = {name: found for name, found in groups.items() if len(found) > 1}
    if len(complete) != 2 or len({frozenset(found) for found in complete.values()}) != 1:
        return {}
    controls = _ARMS["2"].split()
    first, second = sorted(complete, key=lambda name: name in controls)
    pairs = (("1", complete[first]), ("2", complete[second]))
    return {f"{quantity}{arm}": place for arm, found in pairs for quantity, place in found.items()}


def two_times(heads: Sequence[str]) -> dict[str, int]:
    """Columns of one score before and after that have its name: "VAS pre", "VAS post", or "pre VAS", ...

    Empty unless one score has both.
    """
    scores: dict[str, dict[str, int]] = {}
    for place, head in enumerate(heads):
        words = re.split(r"[ _.]+", _BRACKETS.sub("", head).strip())
        for time_word, rest in ((words[-1], words[:-1]), (words[0], words[1:])):
            time = next((t for t, known in _TIMES.items() if plain(time_word) in known.split()), None)
            if (
                rest
                and time
                and plain("".join(rest)) not in _QUANTITIES["sd"].split() + _QUANTITIES["n"].split()
            ):
                scores.setdefault(plain("".join(rest)), {}).setdefault(time, place)
                break
    both = [found for found in scores.values() if len(found) == 2]
    return {f"mean_{time}": place for time, place in both[0].items()} if len(both) == 1 else {}
