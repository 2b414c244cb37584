"""Brute force that shares no code with kyphobayes.exact, and scipy's densities for the priors."""

import numpy as np
import pytest
from numpy.polynomial import legendre
from scipy import special, stats


class NormalReference:
    """Posterior of normal studies: mu given tau is normal, so that only tau needs a rule.

    The rule is the double exponential one (Takahasi and Mori 1974), which follows heavy tails and
    singular ends. `tau` is a frozen scipy distribution, or None for a flat prior; `mu` is (mean, sd)
    of a normal prior, or None for a flat one.
    """

    def __init__(self, y, se, mu, tau, *, scale=1.0, nodes=4001, span=4.9):
        y, se = np.asarray(y, dtype=float)[:, None], np.asarray(se, dtype=float)[:, None]
        low, high = (0.0, np.inf) if tau is None else tau.support()
        t = np.linspace(-span, span, nodes)
        u, slope = np.pi / 2 * np.sinh(t), np.pi / 2 * np.cosh(t) * (t[1] - t[0])
        if np.isinf(high):
            steps = scale * np.exp(u)
            weights = slope * steps
        else:
            steps = (high - low) * special.expit(2 * u)
            weights = slope * steps * 2 * special.expit(-2 * u)
        keep = (weights > 0) & (steps < 1e100) & (steps > 1e-100)
        self.tau, weights = low + steps[keep], weights[keep]
        centre, precision0 = (0.0, 0.0) if mu is None else (mu[0], mu[1] ** -2.0)
        variance = se**2 + self.tau**2
        precision = (1 / variance).sum(axis=0) + precision0
        self.mean = ((y / variance).sum(axis=0) + precision0 * centre) / precision
        misfit = ((y - self.mean) ** 2 / variance).sum(axis=0) + precision0 * (self.mean - centre) ** 2
        log_mass = -0.5 * (misfit + np.log(2 * np.pi * variance).sum(axis=0) + np.log(precision))
        log_mass += 0.5 * (np.log(2 * np.pi) if mu is None else np.log(precision0))
        log_mass += np.log(weights) + (0.0 if tau is None else tau.logpdf(self.tau))
        self.log_marginal_likelihood = special.logsumexp(log_mass)
        self.mass = np.exp(log_mass - self.log_marginal_likelihood)
        shrunk = se**2 / variance
        self._normals = {
            "mu": (self.mean, 1 / precision),
            "theta_new": (self.mean, 1 / precision + self.tau**2),
        }
        for study, (own, factor, s) in enumerate(zip(y[:, 0], shrunk, se[:, 0], strict=True), start=1):
            moments = factor * self.mean + (1 - factor) * own, s**2 * (1 - factor) + factor**2 / precision
            self._normals[str(study)] = moments

    def moments(self, name):
        mean, variance = (self.tau, 0.0) if name == "tau" else self._normals[name]
        centre = self.mass @ mean
        return centre, np.sqrt(self.mass @ (variance + (mean - centre) ** 2))

    def cdf(self, name, x):
        mean, variance = self._normals[name]
        return np.array([self.mass @ special.ndtr((value - mean) / np.sqrt(variance)) for value in x])


class CountReference:
    """Posterior of counts: trapezoid in mu and theta, Gauss-Legendre in tau, Fourier series in mu.

    On equal steps the Fourier series of the density of mu given tau is smoothed by Normal(0, tau)
    exactly, so that a tau far below the steps does no harm to theta_new.
    """

    def __init__(self, kind, events, size, mu, tau, *, mu_range, tau_max, steps=0.06, nodes=60, h=0.03):
        self.low, high = mu_range
        count = int(np.ceil((high - self.low) / steps))
        self.step = (high - self.low) / count
        self.mu = self.low + self.step * np.arange(count)
        x, weights = legendre.leggauss(nodes)
        self.tau, self.tau_weights, self.tau_max = tau_max * (x + 1) / 2, weights * tau_max / 2, tau_max
        z = np.arange(-9.5, 9.5 + h, h)
        normal = h * stats.norm.pdf(z)
        events, size = np.asarray(events, dtype=float), np.asarray(size, dtype=float)
        if kind == "binomial":
            constant = -special.betaln(events + 1, size - events + 1) - np.log(size + 1)
        else:
            constant = events * np.log(size) - special.gammaln(events + 1)
        log_joint = mu.logpdf(self.mu)[:, None] + tau.logpdf(self.tau)
        effects = np.empty((len(events), count, nodes))
        for column, t in enumerate(self.tau):
            theta = self.mu[:, None] + t * z
            growth = (
                np.log1p(np.exp(-np.abs(theta))) + np.maximum(theta, 0)
                if kind == "binomial"
                else np.exp(theta)
            )
            for study, (a, n, c) in enumerate(zip(events, size, constant, strict=True)):
                likelihood = np.exp(a * theta - n * growth + c)
                integral = np.maximum(likelihood @ normal, 1e-300)
                log_joint[:, column] += np.log(integral)
                effects[study, :, column] = (likelihood * theta) @ normal / integral
        top = log_joint.max()
        joint = np.exp(log_joint - top)
        total = self.step * joint.sum(axis=0) @ self.tau_weights
        self.log_marginal_likelihood = top + np.log(total)
        self.joint = joint / total
        self.effects = self.step * np.einsum("kij,ij,j->k", effects, self.joint, self.tau_weights)
        self.tau_density = self.step * self.joint.sum(axis=0)
        self.frequency = 2 * np.pi * np.fft.fftfreq(count, self.step)
        series = np.fft.fft(self.joint, axis=0) / count
        self._series = {
            "mu": series @ self.tau_weights,
            "theta_new": (series * np.exp(-0.5 * np.outer(self.frequency, self.tau) ** 2)) @ self.tau_weights,
        }

    def moments(self, name):
        share = self.tau_density * self.tau_weights
        if name == "tau":
            mean = share @ self.tau
            return mean, np.sqrt(share @ (self.tau - mean) ** 2)
        mass = self.step * self.joint @ self.tau_weights
        mean = mass @ self.mu
        extra = share @ self.tau**2 if name == "theta_new" else 0.0
        return mean, np.sqrt(mass @ (self.mu - mean) ** 2 + extra)

    def cdf(self, name, x):
        x = np.asarray(x, dtype=float)
        if name == "tau":
            degrees = np.arange(len(self.tau))
            place = 2 * self.tau / self.tau_max - 1
            share = self.tau_density * self.tau_weights
            coefficients = (2 * degrees + 1) / self.tau_max * (share @ legendre.legvander(place, degrees[-1]))
            integral = legendre.legint(coefficients, lbnd=-1) * self.tau_max / 2
            return legendre.legval(2 * x / self.tau_max - 1, integral)
        series, moving = self._series[name], self.frequency != 0
        turns = np.exp(1j * np.outer(x - self.low, self.frequency[moving])) - 1
        waves = turns @ (series[moving] / (1j * self.frequency[moving]))
        return np.real(series[0] * (x - self.low) + waves)


@pytest.fixture(scope="session")
def normal_reference():
    return NormalReference


@pytest.fixture(scope="session")
def count_reference():
    return CountReference
