"""Effect sizes and their sampling variances, by metafor's measure codes and with its defaults."""

from kyphobayes.effects import recover
from kyphobayes.effects.effect_sizes import EffectSizes, effect_size
from kyphobayes.effects.measures import MEASURES
from kyphobayes.effects.pre_post import share_of_g

__all__ = ["MEASURES", "EffectSizes", "effect_size", "recover", "share_of_g"]
