"""The first page of the report."""

import pytest

from fleeting import tsv
from fleeting.evaluation import schemas
from fleeting.evaluation.motion import COMPARED
from fleeting.tables import overview

EXPERIMENT = {
    "experiment": "apart",
    "choice": "paper",
    "protocol": "grouped subject",
    "folds": 4,
    "test_examples": 300,
    "subjects": 16,
    "classes": 5,
    "model": "small",
    "lr": "1e-02",
    "repeats": 2,
    "uar_mean": 0.35,
    "uar_interval_low": 0.25,
    "uar_interval_high": 0.45,
    "uar_interval": "bootstrap",
    "chance": 0.2,
    "best_null": "majority",
    "best_null_uar": 0.21,
    "above_nulls": "yes",
    "best_baseline": "nearest neighbour",
    "best_baseline_uar": 0.24,
    "above_baselines": "yes",
}
MATCHED = {
    "matched": "mixed",
    "to": "apart",
    "model": "small",
    "lr": "1e-02",
    "metric": "uf1",
    "difference": 0.12,
    "interval_low": 0.02,
    "interval_high": 0.24,
    "interval": "bootstrap",
}
DATABASES = [
    {"database": "casme2", "subjects": 6, "samples": 36},
    {"database": "total", "subjects": 6, "samples": 36},
]
SCHEMAS = {
    "experiments": schemas.EXPERIMENTS,
    "matched": schemas.MATCHED,
    "motion": COMPARED,
    "databases": schemas.DATABASES,
}


def made(folder, experiments, matched=(), motion=()):
    """The overview; what a table lacks is filled with zeros."""
    tables = {"experiments": experiments, "matched": matched, "motion": motion}
    tables["databases"] = DATABASES
    files = {name: [folder / f"{name}.tsv"] for name in tables}
    for name, rows in tables.items():
        schema = SCHEMAS[name]
        tsv.write_rows([dict.fromkeys(schema, 0) | row for row in rows], files[name][0], schema)
    return overview.make(files, {})


def test_one_row_for_a_configuration_that_is_chosen_twice(tmp_path) -> None:
    other = {**EXPERIMENT, "choice": "validation"}
    frame, page = made(tmp_path, [EXPERIMENT, other], [MATCHED])
    (row,) = frame.to_dict("records")
    assert (row["choice"], row["lr"], row["subjects"]) == ("paper and validation", "1e-02", "16")
    assert page.parts[0][1]["verdict"].tolist() == [row["verdict"]]
    assert row["verdict"] == "above chance and every baseline"
    assert page.parts[0][1]["beside it"].tolist() == [
        "chance 0.200; best null model 0.210 (majority); best baseline 0.240 (nearest neighbour)"
    ]
    tested, leaked, databases = (part for _, part in page.parts)
    assert tested["experiment"].tolist() == [
        "apart: small at 1e-02 (paper and validation); grouped subject; 300 examples of 16 "
        "subjects, 5 classes"
    ]
    assert tested["UAR, 95% interval"].tolist() == ["0.350 [0.250, 0.450]"]
    assert leaked["gained, 95% interval"].tolist() == ["0.120 [0.020, 0.240]"]
    assert databases["database"].tolist() == ["casme2", "total"]


@pytest.mark.parametrize(
    ("low", "high", "kind", "verdict"),
    [
        (0.15, 0.45, "bootstrap", "chance not excluded"),
        (0.05, 0.15, "bootstrap", "below chance"),
        (0.25, 0.45, "range", "too few subjects to say"),
        (float("nan"), float("nan"), "range", "no interval"),
    ],
)
def test_the_verdict_says_no_more_than_the_interval(tmp_path, low, high, kind, verdict) -> None:
    ends = {"uar_interval_low": low, "uar_interval_high": high, "uar_interval": kind}
    frame, page = made(tmp_path, [EXPERIMENT | ends])
    assert frame["verdict"].tolist() == [verdict]
    assert len(page.parts) == 2


@pytest.mark.parametrize(
    ("nulls", "baselines", "verdict"),
    [
        ("yes", "yes", "above chance and every baseline"),
        ("yes", "no", "above chance and every null model, not above every baseline"),
        ("no", "no", "above chance, not above every null model"),
        # `baselines: [nearest_neighbour]` has no null model.
        ("", "yes", "above chance and every baseline"),
        ("", "no", "above chance, not above every baseline"),
        # `[regional_kernel_ridge]` on pictures has no baseline at all.
        ("", "", "above chance"),
    ],
)
def test_the_verdict_names_only_baselines_that_there_are(
    tmp_path, nulls, baselines, verdict
) -> None:
    beside = {"above_nulls": nulls, "above_baselines": baselines}
    scores = {
        f"{name}{column}": ""
        for name, place in (("best_null", nulls), ("best_baseline", baselines))
        for column in ("", "_uar")
        if not place
    }
    frame, _ = made(tmp_path, [EXPERIMENT | beside | scores])
    assert frame["verdict"].tolist() == [verdict]


def test_motion_stands_beside_its_noise_floor(tmp_path) -> None:
    known = {"input": "flow", "database": "casme", "motion": 1.25, "floor": 0.25, "above": 0.75}
    unknown = {**known, "database": "samm", "floor": None, "above": None}
    _, page = made(tmp_path, [EXPERIMENT], motion=[known, unknown])
    (_, tested), (heading, moved), _ = page.parts
    assert len(tested) == 1
    assert heading == "What moved, in pixels of the crop"
    assert moved.to_numpy().tolist() == [
        ["flow, casme", "1.250", "0.250", "75.0%"],
        ["flow, samm", "1.250", "not known", ""],
    ]


def test_an_experiment_may_be_called_null(tmp_path) -> None:
    frame, _ = made(tmp_path, [EXPERIMENT | {"experiment": "null"}])
    assert frame["experiment"].tolist() == ["null"]
