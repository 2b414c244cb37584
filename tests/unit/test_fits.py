"""A fit on disk: complete or absent, and read back as it was."""

import io

import arviz as az
import numpy as np
import pytest

import kyphobayes.fits as fit_module
from kyphobayes.errors import InputError
from kyphobayes.evidence import counts
from kyphobayes.fits import latent_table_probabilities, load, row_names, save, stamp, summary
from kyphobayes.priors import Priors

FITS = ["counts_exact", "counts_nuts", "contrasts_exact", "contrasts_nuts"]


@pytest.fixture(params=FITS)
def fit(request):
    return request.getfixturevalue(request.param)


# --- save and load --------------------------------------------------------------------------------


def test_what_is_read_is_what_was_written(fit, tmp_path):
    path = tmp_path / "deep" / "folder" / "fit.nc"
    save(fit, path)
    back = load(path, fit.attrs["digest"])
    assert back is not None
    assert dict(back.attrs) == dict(fit.attrs)
    assert set(back.children) == set(fit.children)
    for group in fit.children:
        left, right = fit[group].dataset, back[group].dataset
        assert set(left.variables) == set(right.variables)
        for name in left.variables:
            assert left[name].dims == right[name].dims
            assert (left[name].dtype.kind in "OU") == (right[name].dtype.kind in "OU")
            np.testing.assert_array_equal(left[name].values, right[name].values)
    assert [p.name for p in path.parent.iterdir()] == ["fit.nc"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_loaded_fit_no_longer_needs_its_file(counts_exact, tmp_path):
    path = tmp_path / "fit.nc"
    save(counts_exact, path)
    back = load(path)
    path.unlink()
    assert back is not None
    np.testing.assert_array_equal(back["posterior"]["mu"], counts_exact["posterior"]["mu"])
    assert summary(back).equals(summary(counts_exact))


def test_arviz_reads_it(fit, tmp_path):
    path = tmp_path / "fit.nc"
    save(fit, path)
    with az.from_netcdf(path) as back:
        assert set(back.children) == set(fit.children)
        table = az.summary(back, var_names=["mu"], ci_prob=0.95, round_to="none")
    assert table.loc["mu", "mean"] == pytest.approx(float(fit["posterior"]["mu"].mean()))


def test_saving_again_replaces_the_file(counts_exact, contrasts_exact, tmp_path):
    path = tmp_path / "fit.nc"
    save(counts_exact, path)
    save(contrasts_exact, path)
    back = load(path)
    assert back is not None and back.attrs["digest"] == contrasts_exact.attrs["digest"]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("before", [False, True], ids=["new", "over an older fit"])
@pytest.mark.parametrize(
    ("problem", "raised"),
    [(OSError(28, "No space left on device"), InputError), (KeyboardInterrupt(), KeyboardInterrupt)],
    ids=["disk full", "interrupted"],
)
def test_a_failed_write_leaves_nothing_half_written(
    before, problem, raised, counts_exact, contrasts_exact, tmp_path, monkeypatch
):
    path = tmp_path / "fit.nc"
    if before:
        save(contrasts_exact, path)

    class HalfFile(io.FileIO):
        def write(self, content):
            super().write(content[: len(content) // 2])
            raise problem

    monkeypatch.setattr("kyphobayes.files.os.fdopen", HalfFile)
    with pytest.raises(raised) as error:
        save(counts_exact, path)
    assert [p.name for p in tmp_path.iterdir()] == (["fit.nc"] if before else [])
    if before:
        kept = load(path)
        assert kept is not None and kept.attrs["digest"] == contrasts_exact.attrs["digest"]
    if raised is InputError:
        assert "fit.nc" in str(error.value) and "No space left on device" in str(error.value)
        assert "\n" not in str(error.value)


def test_a_failed_rename_leaves_nothing_half_written(counts_exact, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("kyphobayes.files.os.replace", refuse)
    with pytest.raises(InputError, match=r"cannot write .*fit\.nc: Permission denied"):
        save(counts_exact, tmp_path / "fit.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(counts_exact, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(InputError, match="cannot write"):
        save(counts_exact, tmp_path / "file" / "fit.nc")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.8, 0.95, 0.999])
def test_a_truncated_file_is_no_fit(share, contrasts_exact, tmp_path):
    whole, path = tmp_path / "whole.nc", tmp_path / "cut.nc"
    save(contrasts_exact, whole)
    raw = whole.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    assert load(path, contrasts_exact.attrs["digest"]) is None


@pytest.mark.parametrize(
    "content", [b"", b"not a fit at all", b"\x89HDF\r\n\x1a\n" + bytes(5000), b"CDF\x01" + bytes(99)]
)
def test_a_file_of_another_kind_is_no_fit(content, tmp_path):
    path = tmp_path / "fit.nc"
    path.write_bytes(content)
    assert load(path) is None


def test_damage_anywhere_is_no_fit(contrasts_exact, tmp_path):
    """HDF5 would give other numbers for most of it, and no word."""
    whole, path = tmp_path / "whole.nc", tmp_path / "bad.nc"
    save(contrasts_exact, whole)
    raw = whole.read_bytes()
    for start in np.linspace(8, len(raw) - 1, 30).astype(int):
        path.write_bytes(raw[:start] + bytes([raw[start] ^ 1]) + raw[start + 1 :])
        assert load(path, contrasts_exact.attrs["digest"]) is None
    path.write_bytes(raw)
    assert load(path, contrasts_exact.attrs["digest"]) is not None


def test_no_file_or_a_folder_is_no_fit(tmp_path):
    assert load(tmp_path / "nothing.nc") is None
    assert load(tmp_path) is None


def test_another_digest_is_another_fit(counts_exact, tmp_path):
    path = tmp_path / "fit.nc"
    save(counts_exact, path)
    assert load(path, counts_exact.attrs["digest"]) is not None
    assert load(path, "0" * 64) is None
    assert load(path) is not None


# --- the stamp ------------------------------------------------------------------------------------


def digest(model, evidence, priors=None, engine="exact", seed=0, settings=None):
    return stamp(model, evidence, priors or model.priors, engine, seed, settings or {"draws": 10})["digest"]


def test_digest_depends_on_all_that_decides_a_fit(
    binomial_normal, normal_normal, latent_counts, six_contrasts
):
    one = digest(binomial_normal, latent_counts)
    assert one == digest(binomial_normal, latent_counts)
    narrower = binomial_normal.priors.replace(tau="HalfNormal(sigma=0.5)")
    others = [
        digest(normal_normal, six_contrasts),
        digest(binomial_normal, counts([1], [9])),
        digest(binomial_normal, latent_counts, priors=narrower),
        digest(binomial_normal, latent_counts, engine="nuts"),
        digest(binomial_normal, latent_counts, seed=1),
        digest(binomial_normal, latent_counts, settings={"draws": 11}),
    ]
    assert len({one, *others}) == 7


def test_digest_depends_on_versions_and_not_on_labels_of_priors(binomial_normal, latent_counts, monkeypatch):
    one = digest(binomial_normal, latent_counts)
    same = Priors(binomial_normal.priors.entries, "another name")
    assert digest(binomial_normal, latent_counts, priors=same) == one
    monkeypatch.setattr(fit_module, "versions", lambda: {"pymc": "7"})
    assert digest(binomial_normal, latent_counts) != one


# --- the summary ----------------------------------------------------------------------------------


def test_summary_of_draws(counts_nuts):
    table = summary(counts_nuts)
    assert list(table.index) == row_names(["a", "b", "c", "d"])
    assert list(table.columns) == [
        "mean", "sd", "median", "low", "high", "mcse_mean", "ess_bulk", "ess_tail", "r_hat",
    ]  # fmt: skip
    mu = counts_nuts["posterior"]["mu"].values
    theta = counts_nuts["posterior"]["theta"].values
    assert table.loc["mu", "sd"] == pytest.approx(mu.std(ddof=1), rel=1e-12)
    assert table.loc["mu", "low"] == pytest.approx(np.quantile(mu, 0.025), rel=1e-12)
    assert table.loc["theta[c]", "median"] == pytest.approx(np.median(theta[..., 2]), rel=1e-12)
    narrow = summary(counts_nuts, prob=0.5)
    assert narrow.loc["mu", "high"] == pytest.approx(np.quantile(mu, 0.75), rel=1e-12)


def test_summary_of_the_exact_engine_is_from_quadrature(counts_exact):
    table = summary(counts_exact)
    quadrature = counts_exact["quadrature"]["summary"]
    for name in table.index:
        for statistic in ("mean", "sd", "median", "low", "high"):
            expected = float(quadrature.sel(quantity=name, statistic=statistic))
            assert table.loc[name, statistic] == pytest.approx(expected, rel=1e-12)
    assert table.loc["mu", "mean"] != pytest.approx(float(counts_exact["posterior"]["mu"].mean()), rel=1e-9)


def test_intervals_of_another_probability_hold_that_probability(counts_exact):
    table = summary(counts_exact, prob=0.5)
    mu = counts_exact["posterior"]["mu"].values
    assert table.loc["mu", "low"] == pytest.approx(np.quantile(mu, 0.25), abs=0.05)
    assert table.loc["mu", "high"] < summary(counts_exact).loc["mu", "high"]


def test_probabilities_of_latent_tables(counts_exact, contrasts_exact):
    share = latent_table_probabilities(counts_exact)
    assert share is not None
    assert list(share.index) == [1, 2, 3] and share.sum() == pytest.approx(1)
    assert share[3] == pytest.approx((counts_exact["unprinted"]["table"].values == 2).mean())
    assert latent_table_probabilities(contrasts_exact) is None
