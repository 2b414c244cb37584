"""The quadratic forms are those of the dense matrix P, and stay exact beside a huge study."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyphobayes.frequentist.studies import Studies, sum_of_others, trace_p, trace_ps, trace_psps

positive = st.floats(0.01, 100)


@given(st.lists(st.tuples(positive, positive, st.floats(-10, 10)), min_size=2, max_size=6))
def test_quadratic_forms_are_those_of_the_matrix(rows):
    w, s, y = np.array(rows).T
    p = np.diag(w) - np.outer(w, w) / w.sum()
    ps = p @ np.diag(s)
    assert trace_p(w[:, None])[0] == pytest.approx(np.trace(p), rel=1e-9)
    assert trace_ps(w[:, None], s[:, None])[0] == pytest.approx(np.trace(ps), rel=1e-9)
    assert trace_psps(w[:, None], s[:, None])[0] == pytest.approx(np.trace(ps @ ps), rel=1e-9)

    studies = Studies.standardised(y[None], s[None])
    weights = w[np.argsort(s)][:, None]  # the studies are ordered by variance
    assert studies.q(weights)[0] * studies.scale[0] ** 2 == pytest.approx(y @ p @ y, rel=1e-9, abs=1e-9)


def test_a_huge_weight_leaves_the_digits_of_the_others():
    w = np.array([[1e30], [2.0], [3.0]])
    assert sum_of_others(w)[0, 0] == 5.0
    assert trace_p(w)[0] == pytest.approx(10.0, rel=1e-15)  # w_1 (w_2 + w_3) / W + w_2 + w_3


def test_absent_studies_have_no_weight_and_no_share_in_k():
    studies = Studies.standardised(np.array([[np.nan, 1.0, 3.0]]), np.array([[np.nan, 4.0, 1.0]]))
    assert studies.k.tolist() == [2]
    assert studies.weights(0.0)[:, 0].tolist() == [1.0, 0.25, 0.0]
    assert (studies.origin[0], studies.scale[0]) == (3.0, 1.0)
