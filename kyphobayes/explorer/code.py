"""The data of a surface as Python and R, to which the page adds the priors of the moment."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kyphobayes.exact import Surface
from kyphobayes.exact.likelihoods import BinomialStudies, NormalStudies, PoissonStudies
from kyphobayes.names import IRLN, PLO, RATIOS
from kyphobayes.natural_scale import NaturalScale


def code(surface: Surface, scale: NaturalScale) -> dict[str, Any]:
    """Lines that make the data, by language.

    Returns
    -------
    dict
        `python`: lines that end with `surface`. `estimates`, `counts`: lines of R that end with a data frame
        `d`, of estimates y with standard errors se, and of counts. `formula` and `family` of brms; `shown`
        and `backBrms`: R that prints results on the natural scale; `measure`: arguments of `natural_scale`.
    """
    studies, labels = surface.studies, surface.labels
    names = ", ".join(r_text(label) for label in labels)
    measure = [repr(scale.measure)]
    if scale.measure == IRLN:
        measure.append(f"per={float(scale.natural(0.0)) * scale.factor:g}")
    back = {PLO: "plogis", IRLN: "exp"}.get(scale.measure, "exp" if scale.measure in RATIOS else "identity")
    common = {
        "measure": ", ".join(measure),
        "shown": [f'{back}(fit$summary[c("median", "95% lower", "95% upper"), c("mu", "theta")])'],
        "backBrms": [f'{back}(fixef(fit)["Intercept", c("Estimate", "Q2.5", "Q97.5")])'],
    }
    if isinstance(studies, NormalStudies):
        rows = surface.tables[0]
        y, se = studies.y[rows], studies.se[rows]
        frame = [f"d <- data.frame(study=c({names}),", f"  y=c({_numbers(y)}),", f"  se=c({_numbers(se)}))"]
        return common | {
            "python": [
                f"surface = exact.normal(y=[{_numbers(y)}],",
                f"                       se=[{_numbers(se)}],",
                f"                       labels={list(labels)!r})",
            ],
            "estimates": frame,
            "counts": frame,
            "formula": "y | se(se) ~ 1 + (1 | study)",
            "family": "gaussian()",
        }
    assert isinstance(studies, BinomialStudies | PoissonStudies)  # `likelihood.studies` takes no others
    binomial = isinstance(studies, BinomialStudies)
    sizes = studies.n if isinstance(studies, BinomialStudies) else studies.exposure
    size = "n" if binomial else "exposure"
    likeliest = surface.tables[int(np.argmax(surface.log_weights))]
    remark = []
    if len(surface.tables) > 1:
        remark = [
            f"# Some counts are not printed; kyphobayes averages over {len(surface.tables)} possible tables.",
            "# R takes one of them, so that its answer differs:",
        ]
    frame = [
        *remark,
        f"d <- data.frame(study=c({names}),",
        f"  events=c({_numbers(studies.events[likeliest])}),",
        f"  {size}=c({_numbers(sizes[likeliest])}))",
    ]
    transform = (
        [
            "d$y <- log((d$events+0.5)/(d$n-d$events+0.5))",
            "d$se <- sqrt(1/(d$events+0.5)+1/(d$n-d$events+0.5))",
        ]
        if binomial
        else ["d$y <- log((d$events+0.5)/d$exposure)", "d$se <- sqrt(1/(d$events+0.5))"]
    )
    return common | {
        "python": _counts(surface, "binomial" if binomial else "poisson", size, sizes),
        "estimates": [
            *frame,
            "# bayesmeta takes estimates as normal: an approximation, with 0.5 added to every count",
            *transform,
        ],
        "counts": frame,
        "formula": (
            "events | trials(n) ~ 1 + (1 | study)"
            if binomial
            else "events ~ 1 + offset(log(exposure)) + (1 | study)"
        ),
        "family": "binomial()" if binomial else "poisson()",
    }


def _counts(surface: Surface, kind: str, size: str, sizes: np.ndarray) -> list[str]:
    # the kind says that these are counts, which have events
    events = surface.studies.events[surface.tables]  # pyright: ignore[reportAttributeAccessIssue]
    own = sizes[surface.tables[0]]
    if len(events) == 1:
        return [
            f"surface = exact.{kind}(events=[{_numbers(events[0])}],",
            f"    {size}=[{_numbers(own)}],",
            f"    labels={list(surface.labels)!r})",
        ]
    name = "mixture" if kind == "binomial" else "poisson_mixture"
    weights = np.exp(surface.log_weights)
    uneven = [] if np.ptp(surface.log_weights) < 1e-12 else [f"    weights=[{_numbers(weights)}],"]
    return [
        "tables = [  # of counts, some of which are not printed",
        *(f"    [{_numbers(row)}]," for row in events),
        "]",
        f"surface = exact.{name}(tables, {size}=[{_numbers(own)}],",
        *uneven,
        f"    labels={list(surface.labels)!r})",
    ]


def _numbers(values: Sequence[float] | np.ndarray) -> str:
    return ", ".join(_number(float(value)) for value in values)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def r_text(text: str) -> str:
    """A string of R; what could end it, and what is no letter there, is escaped."""
    escaped = "".join(f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return f'"{escaped}"'
