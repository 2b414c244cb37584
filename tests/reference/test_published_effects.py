"""Worked examples that manuals, vignettes and a case series print, each to its own tolerance.

The names are those of the project's list of published cases.
"""

import numpy as np
import pytest

from kyphobayes.effects import effect_size, recover, share_of_g
from kyphobayes.effects.means import hedges_j
from kyphobayes.frequentist import pool


def close(found, expected, tolerance):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


# bcg_escalc: metafor's manual, page of escalc
def test_bcg_escalc():
    vaccinated = np.array([
        (4, 119), (6, 300), (3, 228), (62, 13536), (33, 5036), (180, 1361), (8, 2537), (505, 87886),
        (29, 7470), (17, 1699), (186, 50448), (5, 2493), (27, 16886),
    ])  # fmt: skip
    control = np.array([
        (11, 128), (29, 274), (11, 209), (248, 12619), (47, 5761), (372, 1079), (10, 619), (499, 87892),
        (45, 7232), (65, 1600), (141, 27197), (3, 2338), (29, 17825),
    ])  # fmt: skip
    found = effect_size(
        "RR",
        {
            "events_1": vaccinated[:, 0],
            "n_1": vaccinated.sum(axis=1),
            "events_2": control[:, 0],
            "n_2": control.sum(axis=1),
        },
    )
    close(
        found.y,
        [-0.88931133, -1.58538866, -1.34807315, -1.44155119, -0.21754732, -0.78611559, -1.62089822,
         0.01195233, -0.46941765, -1.3713448, -0.33935883, 0.4459134, -0.01731395],
        5e-9,
    )  # fmt: skip
    close(
        found.v,
        [0.325584765, 0.194581121, 0.415367965, 0.020010032, 0.051210172, 0.006905618, 0.223017248,
         0.003961579, 0.05643421, 0.073024794, 0.012412214, 0.532505845, 0.07140466],
        5e-9,
    )  # fmt: skip
    assert found.notes == ()


# hine1989_RD_tau2_zero: metafor's tests of Normand (1999), in percentage points
def test_hine1989_rd_tau2_zero():
    found = effect_size(
        "RD",
        {
            "events_1": [2, 4, 6, 7, 7, 11],
            "n_1": [39, 44, 107, 103, 110, 154],
            "events_2": [1, 4, 4, 5, 3, 4],
            "n_2": [43, 44, 110, 100, 106, 146],
        },
    )
    close(100 * found.y, [2.8026, 0, 1.9711, 1.7961, 3.5334, 4.4031], 1e-4)
    close(100**2 * found.v, [17.7575, 37.5657, 8.1323, 10.8998, 8.0114, 6.132], 1e-4)
    for method in ("CE", "DL", "REML"):
        pooled = pool(100 * found.y, 100**2 * found.v, method=method, test="z")
        close([pooled.mu, pooled.ci_low, pooled.ci_high, pooled.tau2], [2.9444, 0.3831, 5.5058, 0], 1e-4)


# normand1999_SMD: metafor's tests of escalc (commit 71ae8f5a). SMDH there has the variance that metafor's
# news announce for 4.6-0, BONETT here; metafor 3.8-1 and LS here have that times J^2.
LENGTHS_OF_STAY = {
    "n_1": [155, 31, 75, 18],
    "mean_1": [55, 27, 64, 66],
    "sd_1": [47, 7, 17, 20],
    "n_2": [156, 32, 71, 18],
    "mean_2": [75, 29, 119, 137],
    "sd_2": [64, 4, 29, 48],
}


@pytest.mark.parametrize(
    ("measure", "vtype", "y", "v"),
    [
        ("SMD", "LS", [-0.3552, -0.3479, -2.3176, -1.888], [0.0131, 0.0645, 0.0458, 0.1606]),
        ("SMDH", "BONETT", [-0.3553, -0.3465, -2.3018, -1.888], [0.0132, 0.0674, 0.0515, 0.1961]),
        ("ROM", "LS", [-0.3102, -0.0715, -0.6202, -0.7303], [0.0094, 0.0028, 0.0018, 0.0119]),
    ],
)
def test_normand1999_smd(measure, vtype, y, v):
    found = effect_size(measure, LENGTHS_OF_STAY, vtype=vtype)
    close(found.y, y, 5e-5)
    close(found.v, v, 5e-5)


def test_normand1999_smd_tau2():
    found = effect_size("SMD", LENGTHS_OF_STAY)
    close(pool(found.y, found.v, method="REML").tau2, 1.009, 5e-5)


# morris2008_prepost_SMCR_SMCC: metafor's analysis example of Morris (2008). There the change is post - pre,
# so our effects have the other sign.
TREATED = {
    "mean_pre": [30.6, 23.5, 0.5, 53.4, 35.6],
    "mean_post": [38.5, 26.8, 0.7, 75.9, 36.0],
    "sd_pre": [15.0, 3.1, 0.1, 14.5, 4.7],
    "sd_post": [11.6, 4.1, 0.1, 4.4, 4.6],
    "n": [20, 50, 9, 10, 14],
    "r": [0.47, 0.64, 0.77, 0.89, 0.44],
}
CONTROLS = {
    "mean_pre": [23.1, 24.9, 0.6, 55.7, 34.8],
    "mean_post": [19.7, 25.3, 0.6, 60.7, 33.4],
    "sd_pre": [13.8, 4.1, 0.2, 17.3, 3.1],
    "sd_post": [14.8, 3.3, 0.2, 17.9, 6.9],
    "n": [20, 42, 9, 11, 14],
    "r": [0.47, 0.64, 0.77, 0.89, 0.44],
}


@pytest.mark.parametrize(
    ("measure", "group", "y", "v"),
    [
        (
            "SMCR",
            TREATED,
            [0.5056, 1.0481, 1.8054, 1.4181, 0.0801],
            [0.0594, 0.0254, 0.2322, 0.1225, 0.0802],
        ),
        (
            "SMCR",
            CONTROLS,
            [-0.2365, 0.0958, 0, 0.2667, -0.425],
            [0.0544, 0.0173, 0.0511, 0.0232, 0.0864],
        ),
        (
            "SMCC",
            TREATED,
            [0.5417, 1.0198, 2.6619, 1.9088, 0.0765],
            [0.0573, 0.0304, 0.5048, 0.2822, 0.0716],
        ),
        ("SMCC", CONTROLS, [-0.2213, 0.1219, 0, 0.5575, -0.2126], [0.0512, 0.024, 0.1111, 0.105, 0.073]),
    ],
)
def test_morris2008_prepost(measure, group, y, v):
    found = effect_size(measure, group)
    close(-found.y, y, 5e-5)
    close(found.v, v, 5e-5)


def test_morris2008_prepost_difference_of_changes():
    treated, controls = effect_size("SMCR", TREATED), effect_size("SMCR", CONTROLS)
    close(controls.y - treated.y, [0.7421, 0.9524, 1.8054, 1.1514, 0.505], 5e-5)
    close(treated.v + controls.v, [0.1138, 0.0426, 0.2833, 0.1458, 0.1667], 5e-5)


def test_morris2008_prepost_pooled_pretest():
    treated, controls = (
        {name: np.array(values) for name, values in group.items()} for group in (TREATED, CONTROLS)
    )
    change = (treated["mean_post"] - treated["mean_pre"]) - (controls["mean_post"] - controls["mean_pre"])
    df_1, df_2 = treated["n"] - 1, controls["n"] - 1
    pooled_sd = np.sqrt((df_1 * treated["sd_pre"] ** 2 + df_2 * controls["sd_pre"] ** 2) / (df_1 + df_2))
    close(hedges_j(df_1 + df_2) * change / pooled_sd, [0.7684, 0.801, 1.2045, 1.0476, 0.4389], 5e-5)


def test_morris2008_prepost_tau2():
    found = effect_size("SMCR", TREATED)
    close(pool(found.y, found.v, method="REML").tau2, 0.3164, 5e-5)


# paired_mean_change_scalar: metafor's tests of escalc (commit 71ae8f5a). The variance of SMCRH there is that
# of metafor from 4.6-0 on, as above.
@pytest.mark.parametrize(
    ("measure", "vtype", "y", "v"),
    [("MC", "LS", 4, 0.2618), ("SMCRH", "BONETT", 0.721, 0.0133), ("ROMC", "LS", 0.1671, 0.0004)],
)
def test_paired_mean_change_scalar(measure, vtype, y, v):
    found = effect_size(
        measure,
        {"mean_pre": 26, "mean_post": 22, "sd_pre": np.sqrt(30), "sd_post": np.sqrt(20), "n": 60, "r": 0.7},
        vtype=vtype,
    )
    close(found.y, [y], 5e-5)
    close(found.v, [v], 5e-5)


def test_paired_mean_change_scalar_with_the_bias_corrected():
    data = {"mean_pre": 26, "mean_post": 22, "sd_pre": 30**0.5, "sd_post": 20**0.5, "n": 60, "r": 0.7}
    close(effect_size("ROMC", data, correct=True).y, [0.1671], 5e-5)


# conv_fivenum_SD_imputation: metafor's manual, page of conv.fivenum
@pytest.mark.parametrize(
    ("function", "arguments", "mean", "sd", "skewness", "critical"),
    [
        (recover.mean_sd_from_range, (2, 6, 14, 20), 6.594468, 3.211576, 0.333, 0.416),
        (recover.mean_sd_from_median_iqr, (4, 6, 10, 20), 6.7195, 4.787076, 0.333, 0.578),
        (recover.mean_sd_from_five_number, (2, 4, 6, 10, 14, 20), 6.938841, 3.679435, 0.491, 0.666),
    ],
)
def test_conv_fivenum_sd_imputation(function, arguments, mean, sd, skewness, critical):
    found = function(*arguments)
    close([found.mean, found.sd], [mean, sd], 1e-6)
    close([found.skewness, found.critical], [skewness, critical], 5e-4)
    assert not found.skewed


def test_conv_fivenum_sd_imputation_skewed():
    found = recover.mean_sd_from_five_number(2, 4, 6, 14, 20, 20)
    close(found.skewness, 0.818, 5e-4)
    assert found.skewed


# conv_wald_from_ci_and_p: metafor's manual, page of conv.wald
@pytest.mark.parametrize(
    ("ratio", "low", "high", "y", "v"),
    [
        ([1.37, 1.89], [1.03, 1.6], [1.82, 2.23], [0.3148, 0.6366], [0.0211, 0.0072]),
        ([0.23, 0.62], [0.18, 0.39], [0.31, 1.0], [-1.4697, -0.478], [0.0192, 0.0577]),
    ],
)
def test_conv_wald_from_ci(ratio, low, high, y, v):
    close(np.log(ratio), y, 5e-5)
    close(recover.se_from_ci(low, high, ratio, log=True) ** 2, v, 5e-5)


def test_conv_wald_from_p():
    close(np.log([0.39, 1.56]), [-0.9416, 0.4447], 5e-5)
    close(recover.se_from_p([0.39, 1.56], [0.12, 0.54], log=True) ** 2, [0.3668, 0.5266], 5e-5)


def test_conv_wald_pooled_after_recovery():
    """BCG: studies 1 and 12 from p, 4 and 9 from the interval, the others from their tables."""
    found = effect_size(
        "OR",
        {
            "events_1": [6, 3, 33, 180, 8, 505, 17, 186, 27],
            "n_1": [306, 231, 5069, 1541, 2545, 88391, 1716, 50634, 16913],
            "events_2": [29, 11, 47, 372, 10, 499, 65, 141, 29],
            "n_2": [303, 220, 5808, 1451, 629, 88391, 1665, 27338, 17854],
        },
    )
    printed = np.log([0.39, 1.56, 0.23, 0.62])
    se = [
        *recover.se_from_p([0.39, 1.56], [0.12, 0.54], log=True),
        *recover.se_from_ci([0.18, 0.39], [0.31, 1.0], [0.23, 0.62], log=True),
    ]
    pooled = pool([*found.y, *printed], [*found.v, *np.square(se)], method="REML", test="z")
    close([pooled.tau2, pooled.mu, pooled.se, pooled.q], [0.3408, -0.7472, 0.1867, 167.4513], 5e-5)


# freeman_tukey_zeros: metafor's analysis example of Miller (1978)
MILLER = {"events": [0, 4, 9, 16, 20], "n": [10, 10, 15, 20, 20]}


def test_freeman_tukey_zeros():
    found = effect_size("PFT", MILLER)
    n = np.array(MILLER["n"])
    close(recover.back_transform("PFT", found.y, n=n), [0, 0.4, 0.6, 0.8, 1], 5e-5)
    pooled = pool(found.y, found.v, method="CE", test="z")
    harmonic = len(n) / (1 / n).sum()
    shares = recover.back_transform("PFT", [pooled.mu, pooled.ci_low, pooled.ci_high], n=harmonic)
    close(shares, [0.6886, 0.5734, 0.7943], 5e-5)


# transform_scalars: metafor's tests of its transformations
def test_transform_scalars():
    one_of_ten = {"events": [1], "n": [10]}
    for measure, y in (("PFT", 0.373394), ("PAS", 0.321751), ("PLO", -2.197225)):
        close(effect_size(measure, one_of_ten).y, [y], 5e-7)
    close(recover.back_transform_mean("OR", np.log(0.5), 0.1), 0.525635, 5e-6)
    close(recover.back_transform_mean("PLO", np.log(0.1 / 0.9), 0.1), 0.103591, 5e-6)


# kyphoplasty_ipd_vas_22: Ribeirao Preto series, Table 1 and Results
PRE = np.array([10, 9, 10, 9, 8, 9, 8, 10, 7, 9, 8, 10, 10, 10, 7, 9, 9, 6, 9, 8, 9, 8])
POST = np.array([1, 3, 1, 1, 2, 1, 1, 0, 1, 1, 3, 1, 5, 0, 4, 3, 1, 1, 2, 2, 0, 4])
IN_22_PATIENTS = {
    "mean_pre": PRE.mean(),
    "mean_post": POST.mean(),
    "sd_pre": PRE.std(ddof=1),
    "sd_post": POST.std(ddof=1),
    "n": 22,
    "r": np.corrcoef(PRE, POST)[0, 1],
}


def test_kyphoplasty_ipd_vas_22_printed():
    close([PRE.mean(), PRE.std(ddof=1)], [8.73, 1.12], 0.006)
    close([POST.mean(), POST.std(ddof=1)], [1.73, 1.39], 0.006)
    change = PRE - POST
    close([effect_size("MC", IN_22_PATIENTS).y[0], change.std(ddof=1)], [7, 1.95], 0.006)
    shares = effect_size("PR", {"events": [5, 2], "n": [35, 22]})
    close(100 * shares.y, [14.29, 9.1], 0.01)


def test_kyphoplasty_ipd_vas_22_recovered():
    """The printed SDs alone give the correlation back, and the raw change its standard error."""
    r = recover.correlation_from_change(IN_22_PATIENTS["sd_pre"], IN_22_PATIENTS["sd_post"], 1.95)
    close(r, -0.2034, 0.006)
    change = (PRE - POST).std(ddof=1)
    found = recover.correlation_from_change(IN_22_PATIENTS["sd_pre"], IN_22_PATIENTS["sd_post"], change)
    close([found, IN_22_PATIENTS["r"]], [-0.2034, -0.2034], 5e-5)
    close(np.sqrt(effect_size("MC", IN_22_PATIENTS).v), [0.416], 5e-4)


def test_kyphoplasty_ipd_vas_22_standardised():
    """One table, three standardised effects: the choice moves the answer by a factor of 1.7."""
    by_pre, by_change = (effect_size(measure, IN_22_PATIENTS) for measure in ("SMCR", "SMCC"))
    two_groups = {
        f"{name}_{group}": IN_22_PATIENTS[f"{name}_{time}"]
        for group, time in ((1, "pre"), (2, "post"))
        for name in ("mean", "sd")
    }
    as_if_independent = effect_size("SMD", two_groups | {"n_1": 22, "n_2": 22})
    close([*by_pre.y, *by_change.y, *as_if_independent.y], [6.0212, 3.4565, 5.4537], 5e-5)
    close(np.sqrt(as_if_independent.v), [0.655], 5e-4)
    assert by_pre.y / by_change.y == pytest.approx(1.74, abs=5e-3)
    # Most of what is called sampling variance is g^2 / (2 n).
    close(share_of_g(by_pre.y, 22, by_pre.v), [0.883], 5e-4)
    close(share_of_g(as_if_independent.y, 44, as_if_independent.v), [0.788], 5e-4)
