"""Recomputing what papers print, and testing whether printed numbers can hold together."""

from kyphobayes.audit.claims import VERDICTS, Claim, counts
from kyphobayes.audit.claims import to_frame as claims_frame
from kyphobayes.audit.debit import debit
from kyphobayes.audit.grim import grim
from kyphobayes.audit.grimmer import grimmer
from kyphobayes.audit.intervals import centred, p_against_error, p_against_interval, p_from_interval
from kyphobayes.audit.lint import Linted, lint, lint_table
from kyphobayes.audit.papers import audit, papers, titles
from kyphobayes.audit.percentages import percentage, possible_events, possible_n
from kyphobayes.audit.spread import Spread, possible_sd, sd_on_scale, se_or_sd
from kyphobayes.audit.sprite import Sprite, sprite
from kyphobayes.audit.tested import Tested

__all__ = [
    "VERDICTS",
    "Claim",
    "Linted",
    "Spread",
    "Sprite",
    "Tested",
    "audit",
    "centred",
    "claims_frame",
    "counts",
    "debit",
    "grim",
    "grimmer",
    "lint",
    "lint_table",
    "p_against_error",
    "p_against_interval",
    "p_from_interval",
    "papers",
    "percentage",
    "possible_events",
    "possible_n",
    "possible_sd",
    "sd_on_scale",
    "se_or_sd",
    "sprite",
    "titles",
]
