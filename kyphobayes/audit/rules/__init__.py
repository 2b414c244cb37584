"""How a printed figure is recomputed: one function for each kind of sum, named in ``data/audit/``."""

from kyphobayes.audit.rules.comparisons import correlation, paired, two_rates
from kyphobayes.audit.rules.figures import (
    arithmetic,
    cited,
    cited_table,
    printed_number,
    same,
    unknown,
    whole_share,
)
from kyphobayes.audit.rules.found import Case, Found, Row, Rule
from kyphobayes.audit.rules.intervals import centred, p_value, width
from kyphobayes.audit.rules.latent import crude, pooled, together
from kyphobayes.audit.rules.sizes import arms, combinations_of_arms, followed, share_of_population
from kyphobayes.audit.rules.tables import (
    composition,
    count,
    improved,
    percent,
    possible_sizes,
    range_of_ratio,
    selections,
    statistic,
)

RULES: dict[str, Rule] = {
    "arithmetic": arithmetic,
    "arms": arms,
    "centred": centred,
    "cited": cited,
    "cited_table": cited_table,
    "combinations_of_arms": combinations_of_arms,
    "composition": composition,
    "correlation": correlation,
    "count": count,
    "crude": crude,
    "followed": followed,
    "improved": improved,
    "p_value": p_value,
    "paired": paired,
    "percent": percent,
    "pooled": pooled,
    "possible_sizes": possible_sizes,
    "range_of_ratio": range_of_ratio,
    "same": same,
    "selections": selections,
    "share_of_population": share_of_population,
    "statistic": statistic,
    "together": together,
    "two_rates": two_rates,
    "unknown": unknown,
    "whole_share": whole_share,
    "width": width,
}

__all__ = ["RULES", "Case", "Found", "Row", "Rule", "printed_number"]
