"""One analysis from tables to checked answers; finished fits are found again."""

import numpy as np
import pytest

from kyphobayes.engines import kept
from kyphobayes.errors import EvidenceError, InputError, PriorError
from kyphobayes.evidence import find_analysis
from kyphobayes.run import run_analysis

NAME = "new_fracture_bouza_only"


@pytest.fixture(scope="module")
def analysis(project):
    return find_analysis(project, NAME)


@pytest.fixture(scope="module")
def ran(analysis, project, tmp_path_factory):
    """The exact engine on a real analysis, and the folder it wrote to."""
    out, said = tmp_path_factory.mktemp("results"), []
    result = run_analysis(analysis, project, engines=("exact",), out=out, seed=4, say=said.append)
    return result, out, said


def test_result_holds_every_prior_set_of_the_plan_with_the_main_one_first(ran, analysis):
    result, _, _ = ran
    assert next(iter(result.answers)) == analysis.priors == result.main.prior_set
    assert set(result.answers) == set(result.posteriors) == set(result.compared) == set(analysis.compare)
    assert len(result.answers) >= 4
    for label, answer in result.answers.items():
        assert [p.n for p in answer.next] == list(analysis.next)
        assert 0 < answer.p_typical < 1 and answer.below == analysis.decision.below
        assert list(result.posteriors[label].index) == ["mu", "tau", "theta_new"]
        assert np.isfinite(result.posteriors[label].to_numpy()).all()
    centres = [table.loc["mu", "mean"] for table in result.posteriors.values()]
    assert len(set(np.round(centres, 6))) == len(centres)  # the priors are not the same prior


def test_checks_pass_on_real_evidence(ran):
    result, _, _ = ran
    assert [check.name for check in result.checks] == ["agreement", "posterior predictive"]
    assert result.passed, [check.text for check in result.checks]


def test_fit_is_marked_and_says_the_same_as_the_answers(ran, analysis):
    result, _, _ = ran
    fit = result.fits["exact"]
    assert (fit.attrs["analysis"], fit.attrs["outcome"], fit.attrs["seed"]) == (NAME, analysis.outcome, "4")
    quadrature = fit["quadrature"]["summary"]
    for statistic in ("mean", "sd", "low", "high"):
        expected = result.posteriors[analysis.priors].loc["mu", statistic]
        assert float(quadrature.sel(quantity="mu", statistic=statistic)) == pytest.approx(expected, rel=1e-9)


def test_a_finished_fit_is_found_again(ran, analysis, project):
    first, out, said = ran
    files = sorted(path.name for path in (out / "fits").iterdir())
    assert len(files) == 1 and files[0].startswith(f"{NAME}-exact-") and files[0].endswith(".nc")
    assert first.reused == () and any("fitting" in words for words in said)
    again: list[str] = []
    second = run_analysis(analysis, project, engines=("exact",), out=out, seed=4, say=again.append)
    assert second.reused == ("exact",) and not any("fitting" in words for words in again)
    np.testing.assert_array_equal(
        second.fits["exact"]["posterior"]["mu"], first.fits["exact"]["posterior"]["mu"]
    )
    assert dict(second.fits["exact"].attrs) == dict(first.fits["exact"].attrs)
    assert sorted(path.name for path in (out / "fits").iterdir()) == files


def test_a_damaged_fit_is_made_again(ran, analysis, project, monkeypatch):
    first, out, _ = ran
    made = []
    monkeypatch.setattr(kept, "fit_exact", lambda *_, seed: made.append(seed) or first.fits["exact"])
    (path,) = (out / "fits").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    result = run_analysis(analysis, project, engines=("exact",), out=out, seed=4, compare=False)
    assert result.reused == () and made == [4]
    again = run_analysis(analysis, project, engines=("exact",), out=out, seed=4, compare=False)
    assert again.reused == ("exact",) and made == [4]


def test_without_engines_there_are_answers_and_no_fit(analysis, project):
    result = run_analysis(
        analysis,
        project,
        engines=(),
        prior_set="vague",
        changed={"tau": "HalfNormal(sigma=0.2)"},
        compare=False,
    )
    assert result.fits == {} and list(result.answers) == ["vague, tau ~ HalfNormal(sigma=0.2)"]
    assert result.priors.texts() == {"mu": "Logistic(mu=0, s=1)", "tau": "HalfNormal(sigma=0.2)"}
    other = run_analysis(analysis, project, engines=(), prior_set="vague", compare=False)
    assert other.main.tau["high"] > result.main.tau["high"]


def test_what_is_refused(analysis, project, tmp_path):
    with pytest.raises(InputError, match="expected one of exact, nuts, found 'gibbs'"):
        run_analysis(analysis, project, engines=("gibbs",), compare=False)
    with pytest.raises(EvidenceError, match="no model 'binomal_normal'"):
        run_analysis(analysis, project, engines=(), model="binomal_normal")
    with pytest.raises(EvidenceError, match="takes Contrasts, found Counts"):
        run_analysis(analysis, project, engines=(), model="normal_normal")
    with pytest.raises(PriorError, match="no prior set 'vage'"):
        run_analysis(analysis, project, engines=(), prior_set="vage")
    with pytest.raises(PriorError, match="no parameter nu"):
        run_analysis(analysis, project, engines=(), changed={"nu": "Gamma(alpha=2, beta=0.1)"})
    assert list(tmp_path.iterdir()) == []
