"""What `kyphobayes recover` shows, writes and leaves with."""

import json

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import kyphobayes
import kyphobayes.recovery
from kyphobayes.commands.recover import recover
from kyphobayes.recovery.simulate import quantities

ASKED = ["new_fracture_bouza_only", "--priors", "weakly_informative", "--n", "200", "--workers", "1"]


@pytest.fixture
def call(monkeypatch, tmp_path):
    """Run the command on worlds that are made up: the given share of them lost."""

    def called(lost, *more):
        def made_up(study, **_):
            (case,) = study
            rng = np.random.default_rng(0)
            worlds = pd.DataFrame({q: rng.uniform(size=case.n) for q in quantities(case.design)})
            outcome = np.where(np.arange(case.n) < lost * case.n, "lost", "listed")
            return [worlds.assign(world=np.arange(case.n), outcome=outcome, tables=5.0)]

        monkeypatch.setattr(kyphobayes.recovery, "recover", made_up)
        app = typer.Typer()
        app.command()(recover)
        return CliRunner().invoke(app, [*ASKED, "--out", str(tmp_path), *more])

    return called


def test_what_is_recovered_is_said_and_written(call, tmp_path):
    done = call(0)
    assert done.exit_code == 0, done.output
    assert "in 200 of 200 worlds" in done.output and "none of 8 rows is wanting" in done.output
    table = pd.read_csv(tmp_path / f"{kyphobayes.__version__}-latent.csv")
    assert len(table) == 8 and {"model", "engine", "k", "priors", "quantity", "coverage_95"} <= set(table)
    assert table["quantity"].str.len().max() < 40 and "events[kose2006]" in done.output


def test_what_is_lost_leaves_with_1(call):
    done = call(0.01)
    assert done.exit_code == 1
    assert "in 198 of 200 worlds" in done.output and "8 of 8 rows are wanting" in done.output
    assert len(json.loads(call(0.01, "--json").stdout)["wanting"]) == 8
