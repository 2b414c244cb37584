"""Effect sizes and their sampling variances, by metafor's measure codes and with its defaults."""

from kyphobayes.effects.measures import MEASURES, EffectSizes, effect_size

__all__ = ["MEASURES", "EffectSizes", "effect_size"]
