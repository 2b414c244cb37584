"""Groups of studies in the section of a pooled analysis: their typical effects, and how these differ."""

from kyphobayes.report.document import Block, Section, text
from kyphobayes.report.figures import forest
from kyphobayes.report.given import Pooled
from kyphobayes.report.tables import Column, Table, estimate, exactly
from kyphobayes.report.words import limit, probability, significant, values, whole
from kyphobayes.subgroups import Subgroups


def groups_part(given: Pooled) -> list[Block]:
    """Forest and tables by group; nothing where no groups were asked for."""
    result, found = given.result, given.result.subgroups
    if found is None:
        return []
    analysis = result.analysis
    pairs = list(zip(found.names, found.members, strict=True))
    group_of = {study: name for name, inside in pairs for study in inside}
    drawn = given.of_fit(
        forest, "groups", f"By {found.by}.",
        "Studies as by the model of all; diamonds of the groups as by the model in which groups differ and "
        "share tau.",
        groups=group_of, typical=found.typical, limit=analysis.decision.below, event=analysis.event,
        unit=analysis.unit,
    )  # fmt: skip
    intro = (
        f"Groups share tau, the spread within them; their typical effects have independent priors, those of "
        f"the main result. A difference between groups that were not made by chance may have other reasons "
        f"than {found.by}."
    )
    tables = (given.shown(_groups(found, given)), given.shown(_differences(found)))
    return [Section(f"{given.slug}-groups", f"By {found.by}", (text(intro), *drawn, *tables))]


def _groups(found: Subgroups, given: Pooled) -> Table:
    main, scale = given.result.main, found.scale
    frame = found.groups(main.below, main.side).rename_axis("group").reset_index()
    frame = frame.rename(columns={name: f"typical_{name}" for name in ("median", "low", "high")})
    columns = (
        Column(found.by, exactly("group")),
        Column("Studies", lambda r: whole(r["k"]), True),
        Column(f"Typical {scale.name} (95 % interval)", estimate("typical", scale), True),
        Column(
            f"Next {scale.one} (95 % predictive)", lambda r: values(r["new_low"], r["new_high"], scale), True
        ),
        Column(
            f"P(typical {main.sign} {limit(main.below, scale)})", lambda r: probability(r["p_claim"]), True
        ),
    )
    return Table("groups", f"The answer by {found.by}", frame, columns)


def _differences(found: Subgroups) -> Table:
    frame = found.differences().rename_axis("groups").reset_index()
    columns = (
        Column("Groups", exactly("groups")),
        Column(
            f"{found.contrast[:1].upper()}{found.contrast[1:]} (95 % interval)",
            lambda r: f"{significant(r['median'])} ({significant(r['low'])} to {significant(r['high'])})",
            True,
        ),
        Column("P(the first is larger)", lambda r: probability(r["p_larger"]), True),
    )
    return Table("group-differences", f"Differences by {found.by}", frame, columns)
