r"""Integrated likelihoods of studies as functions of their mean, at given tau.

A study's :math:`\ell(m, \tau)` is tabulated once on a grid that is fine about the study and ever coarser away
from it, :math:`m = c + s \sinh u`, and interpolated by a spline in u; its slope and bend come with it.
"""

import numpy as np
from scipy import special
from scipy.interpolate import BSpline, make_interp_spline

from kyphobayes.exact.likelihoods import Likelihood
from kyphobayes.exact.panels import Array
from kyphobayes.exact.surface import Surface

Splines = list[BSpline]  # one for each pair of a likelihood and a study

_STEP = 0.04  # between knots, in u
_REACH = 15.0  # of a spline from its study, in the whole spread of the studies and tau


class StudySplines:
    """The studies of a surface, with means of their own.

    Parameters
    ----------
    surface : Surface

    Attributes
    ----------
    centres, scales : ndarray, shape (k,)
        Where each study alone would place its effect, and how far from there it would look: means over
        the tables.
    tables : int
        Number of tables.
    """

    def __init__(self, surface: Surface):
        studies = surface.studies
        weights = np.exp(surface.log_weights)
        self.centres, self.scales = weights @ studies.centres[surface.tables], surface.standard_errors
        self.tables, self._log_weights = len(surface.tables), surface.log_weights
        # Which likelihood stands for which study in any table, and how often.
        columns = np.broadcast_to(np.arange(surface.k), surface.tables.shape)
        pairs = np.stack([surface.tables.ravel(), columns.ravel()])
        (self._pieces, self._column), inverse = np.unique(pairs, axis=1, return_inverse=True)
        self._members = inverse.reshape(surface.tables.shape)  # (tables, k) into pairs
        share = np.broadcast_to(weights[:, None], surface.tables.shape)
        self._share = np.bincount(self._members.ravel(), share.ravel())
        self._single: dict[int, Likelihood] = {
            int(piece): studies.take(np.array([piece])) for piece in np.unique(self._pieces)
        }
        self._known: dict[float, Splines] = {}

    def at(self, tau: Array) -> list[Splines]:
        """Splines at each tau; they are computed once."""
        new = np.array([value for value in tau if float(value) not in self._known])
        if new.size:
            singles = self._single.values()
            centres = np.concatenate([single.centres for single in singles])
            widest = max(float(single.scales[0]) for single in singles)
            reach = _REACH * (np.ptp(centres) + widest + new.max())
            found = {piece: _spline(single, new, reach) for piece, single in self._single.items()}
            for i, value in enumerate(new):
                each = (found[int(piece)] for piece in self._pieces)
                self._known[float(value)] = [
                    BSpline.construct_fast(spline.t, np.ascontiguousarray(spline.c[:, i]), spline.k)
                    for spline in each
                ]
        return [self._known[float(value)] for value in tau]

    def _place(self, pair: int, means: Array, spline: BSpline) -> tuple[Array, Array]:
        """Where a study's mean lies in u, at most the spline's end, and du / dmean."""
        single = self._single[int(self._pieces[pair])]
        scale = single.scales[0]
        z = (means[..., self._column[pair]] - single.centres[0]) / scale
        return np.clip(np.arcsinh(z), spline.t[0], spline.t[-1]), 1 / (scale * np.sqrt(1 + z**2))

    def log_likelihood(self, splines: Splines, means: Array) -> Array:
        """Log likelihood of all tables at studies' means, shape (..., k)."""
        values = np.stack([
            spline(self._place(pair, means, spline)[0]) for pair, spline in enumerate(splines)
        ])  # fmt: skip
        members = self._members
        if len(members) == 1:
            return values[members[0]].sum(axis=0)
        common = (members == members[0]).all(axis=0)
        varying = np.stack([values[row].sum(axis=0) for row in members[:, ~common]])
        weights = self._log_weights.reshape(-1, *[1] * (varying.ndim - 1))
        return values[members[0, common]].sum(axis=0) + special.logsumexp(varying + weights, axis=0)

    def average(self, splines: Splines, means: Array) -> tuple[Array, Array, Array]:
        """Mean log likelihood over the tables, shape (n,), with slope and bend in each mean, shape (n, k).

        The mean is concave where the studies' log likelihoods are; a bend upwards is left out.
        """
        value, slope, bend = np.zeros(len(means)), np.zeros(means.shape), np.zeros(means.shape)
        for pair, (share, spline) in enumerate(zip(self._share, splines, strict=True)):
            study = self._column[pair]
            u, du = self._place(pair, means, spline)
            first, second = spline(u, nu=1), spline(u, nu=2)
            value += share * spline(u)
            slope[:, study] += share * first * du
            bend[:, study] += share * np.minimum((second - first * np.tanh(u)) * du**2, 0.0)
        return value, slope, bend


def _spline(single: Likelihood, tau: Array, reach: float) -> BSpline:
    """A study's integrated likelihood at all tau."""
    centre, scale = single.centres[0], single.scales[0]
    half = int(np.ceil(np.arcsinh(reach / scale) / _STEP))
    u = _STEP * np.arange(-half, half + 1)
    return make_interp_spline(u, single.log_integrated(centre + scale * np.sinh(u), tau)[0], k=5)
