"""Views of evidence at hand: shapes, coordinates, fingerprints, and what is refused."""

import numpy as np
import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.evidence import contrasts, counts
from kyphobayes.evidence.views import View

_nan = np.nan


def test_counts_without_latent_ones_are_one_table():
    view = counts([0, 5], [32, 35])
    assert view.k == 2 and view.labels == ("study 1", "study 2")
    assert view.measure == "PLO"
    np.testing.assert_array_equal(view.tables, [[0, 5]])
    np.testing.assert_array_equal(view.weights, [1])
    np.testing.assert_array_equal(view.reported, [0, 1])
    assert len(view.latent) == 0
    assert view.coords == {
        "study": ["study 1", "study 2"], "reported": ["study 1", "study 2"], "latent": [], "table": [1]
    }  # fmt: skip


def test_latent_counts_have_their_own_coordinates_and_weights_that_sum_to_one(latent_counts):
    assert latent_counts.coords["reported"] == ["a", "b"]
    assert latent_counts.coords["latent"] == ["c", "d"]
    assert latent_counts.coords["table"] == [1, 2, 3]
    np.testing.assert_array_equal(latent_counts.weights, [0.25, 0.25, 0.5])


def test_contrasts():
    view = contrasts([0.1, -0.2], [0.3, 0.4], ["a", "b"], unit="mm")
    assert (view.k, view.labels, view.measure, view.unit) == (2, ("a", "b"), "GEN", "mm")
    assert view.coords == {"study": ["a", "b"]}
    assert isinstance(view, View)


@pytest.mark.parametrize(
    "make",
    [
        lambda: counts([0, 5], [32]),
        lambda: counts([0, _nan], [32, 35], tables=[[0, 5, 1]]),
        lambda: counts([0, _nan], [32, 35], tables=[[0, 5], [0, 6]], weights=[1]),
        lambda: counts([0, 5], [32, 35], ["a"]),
        lambda: counts([0, 5], [32, 35], ["a", "a"]),
        lambda: contrasts([0.1, 0.2], [0.3]),
        lambda: contrasts([0.1, 0.2], [0.3, 0.4], ["a", "a"]),
    ],
    ids=[
        "lengths",
        "columns of tables",
        "weights",
        "labels",
        "labels twice",
        "y and se",
        "labels of contrasts",
    ],
)
def test_shapes_and_names_that_do_not_fit(make):
    with pytest.raises(EvidenceError, match="expected"):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: counts([0, _nan], [32, 35]),
        lambda: counts([0, 5], [32, 35], tables=[[1, 5]]),
        lambda: counts([40, 5], [32, 35]),
        lambda: counts([-1, 5], [32, 35]),
        lambda: counts([0.5, 5], [32, 35]),
        lambda: counts([0, _nan], [32, 35], tables=[[0, 36]]),
        lambda: counts([0, _nan], [32, 35], tables=[[0, 5], [0, 6]], weights=[1, -1]),
        lambda: contrasts([0.1, _nan], [0.3, 0.4]),
        lambda: contrasts([0.1, 0.2], [0.3, 0.0]),
        lambda: contrasts([], []),
    ],
    ids=[
        "latent without tables", "tables against print", "events above n", "negative", "half an event",
        "table above n", "negative weight", "y missing", "se zero", "no study",
    ],
)  # fmt: skip
def test_numbers_that_no_model_can_take(make):
    with pytest.raises(EvidenceError):
        make()


BASE = dict(
    events=[0, 5, _nan], n=[32, 35, 40], labels=["a", "b", "c"], tables=[[0, 5, 1], [0, 5, 2]], weights=[1, 1]
)


def digest(**changed):
    given = BASE | changed
    return counts(
        given["events"], given["n"], given["labels"], tables=given["tables"], weights=given["weights"]
    ).digest


def test_digest_is_the_same_for_the_same_numbers():
    assert digest() == digest() == digest(weights=[2, 2])
    assert len(digest()) == 64


@pytest.mark.parametrize(
    "changed",
    [
        dict(n=[32, 36, 40]),
        dict(labels=["a", "b", "d"]),
        dict(tables=[[0, 5, 1], [0, 5, 3]]),
        dict(tables=[[0, 5, 2], [0, 5, 1]], weights=[1, 2]),
        dict(weights=[1, 2]),
        dict(events=[0, _nan, _nan]),
    ],
    ids=["n", "label", "table", "order and weights", "weights", "latent or printed"],
)
def test_digest_changes_with_whatever_a_fit_depends_on(changed):
    assert digest(**changed) != digest()


def test_digest_of_contrasts():
    first = contrasts([0.1, 0.2], [0.3, 0.4]).digest
    assert first == contrasts([0.1, 0.2], [0.3, 0.4], unit="mm").digest
    assert (
        len({first, contrasts([0.1, 0.2], [0.3, 0.5]).digest, contrasts([0.2, 0.1], [0.3, 0.4]).digest}) == 3
    )
    assert contrasts([1, 2], [3, 4]).digest != counts([1, 2], [3, 4]).digest
