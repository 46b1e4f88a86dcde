"""The first page of the report."""

import pandas as pd
import pytest

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
    "best_baseline": "nearest neighbour",
    "best_baseline_uar": 0.24,
}
LEAK = {
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


def made(folder, experiments, leaks=()):
    tables = {"experiments": experiments, "matched": leaks, "databases": DATABASES}
    files = {}
    for name, rows in tables.items():
        files[name] = [folder / f"{name}.tsv"]
        columns = LEAK if name == "matched" else None
        pd.DataFrame(rows, columns=columns).to_csv(files[name][0], sep="\t", index=False)
    return overview.make(files, {})


def test_one_row_for_a_configuration_that_is_chosen_twice(tmp_path) -> None:
    other = {**EXPERIMENT, "choice": "validation"}
    frame, page = made(tmp_path, [EXPERIMENT, other], [LEAK])
    (row,) = frame.to_dict("records")
    assert (row["choice"], row["lr"], row["subjects"]) == ("paper and validation", "1e-02", 16)
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
        (0.205, 0.45, "bootstrap", "above chance, not above the best null model"),
        (0.22, 0.45, "bootstrap", "above chance and null models, not above the best baseline"),
        (0.25, 0.45, "range", "too few subjects to say"),
        (float("nan"), float("nan"), "range", "no interval"),
    ],
)
def test_the_verdict_says_no_more_than_the_interval(tmp_path, low, high, kind, verdict) -> None:
    ends = {"uar_interval_low": low, "uar_interval_high": high, "uar_interval": kind}
    frame, page = made(tmp_path, [EXPERIMENT | ends])
    assert frame["verdict"].tolist() == [verdict]
    assert len(page.parts) == 2
