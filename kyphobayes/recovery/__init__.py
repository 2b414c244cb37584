r"""Whether posteriors from counts that a paper does not print cover the truth as often as they say.

A whole table of counts T is drawn as the model says: mu and tau from their priors, the studies' effects
from Normal(mu, tau), the counts from their binomials. Of T only that is kept which the paper would print,
S = s(T): the same figures, pooled by the same assumed method, rounded to the same digits. From S the tables
are reconstructed, and the model is fitted to them, by the code that answers questions about real papers.

Nominal coverage is then a theorem, not a hope. T determines S, so the likelihood of what is printed is

.. math:: p(S \mid \mu, \tau) = \sum_T p(S \mid T)\, p(T \mid \mu, \tau)
          = \sum_{T:\, s(T) = S} p(T \mid \mu, \tau),

a sum in which every table that agrees has weight 1 and every other has weight 0: the uniform weights of a
constraints file are p(S | T). They are no prior over tables, which would be a second opinion beside the
model's own: how plausible a table is among those that agree is for p(T | mu, tau) to say, and a table's
posterior probability is proportional to its integral over the priors. So truth and print have the joint
distribution that the posterior inverts, and the posterior distribution function at the truth is uniform
(Cook, Gelman and Rubin 2006, J. Comput. Graph. Stat. 15:675, theorem 1): for mu, tau and the next centre as
it is, for a count X with a uniform U between its steps, as F(X - 1) + U p(X).

This needs lists that share out all tables between the prints, each to one print and with one weight. A
reconstruction that loses the truth, that reads a rounded figure as a range about another place, or that
weighs tables by anything else is found out. One that overlooks a figure in every paper is not: it reads
papers that print less, and its wider answers are right for these. That no figure is overlooked is shown in
another way, by printing every table of small reviews and reconstructing each print. Coverage is conditional
on the priors, and on the paper having pooled as the constraints file assumes. It holds given each print,
hence also within any choice of prints by what they say: counts are judged where the print leaves them open,
and prints with too many tables to list are left out, counted, and said.
"""

from kyphobayes.recovery.design import Design, design_of
from kyphobayes.recovery.printing import printed_anew, printed_of
from kyphobayes.recovery.simulate import recover_worlds
from kyphobayes.recovery.study import Case, cases, recover, sentence, summarised, varied, wanting

__all__ = [
    "Case",
    "Design",
    "cases",
    "design_of",
    "printed_anew",
    "printed_of",
    "recover",
    "recover_worlds",
    "sentence",
    "summarised",
    "varied",
    "wanting",
]
