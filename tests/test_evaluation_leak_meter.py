"""The leak meter: its table and its figure, over experiments made by hand."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fabricated_runs import (
    ALL_HAPPY,
    ONE_WRONG,
    SETTINGS,
    declared,
    make_table,
    summarise,
    write_run,
)
from fleeting import registry, tsv
from fleeting.evaluation import schemas

NAMES = ["paper", "other"]
UAR = {"right": 5 / 6, "happy": 1 / 3}


def matched(results: Path, *rows: dict[str, Any]) -> None:
    empty = dict.fromkeys(schemas.MATCHED, "x") | {"subjects": 9, "effective_subjects": 8.5}
    numbers = ("mixed", "apart", "difference", "interval_low", "interval_high")
    full = [empty | dict.fromkeys(numbers, 0.5) | row for row in rows]
    frame = pd.DataFrame(full, columns=list(schemas.MATCHED))
    tsv.write(frame, results / "comparison/matched.tsv", schemas.MATCHED)


def identity(results: Path, name: str, right: float | None = 0.9) -> None:
    rows = [("subject", right, 0.1, 9, 60), ("database", 0.7, 0.4, 2, 66)]
    frame = pd.DataFrame(rows, columns=list(schemas.IDENTITY))
    path = results / f"experiments/{name}/evaluation/identity.tsv"
    tsv.write(frame, path, schemas.IDENTITY)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two experiments with a good and a bad run; validation chooses the good one's rate."""
    for name in NAMES:
        for lr, predicted, accuracy in (("1e-05", ONE_WRONG, 0.9), ("1e-04", ALL_HAPPY, 0.2)):
            validation = (accuracy, accuracy)
            write_run(tmp_path, predicted, lr=lr, validation=validation, experiment=name)
        summarise(tmp_path, lrs=("1e-05", "1e-04"), experiment=name)
        identity(tmp_path, name)
    matched(tmp_path)
    return tmp_path


def meter(results: Path, **units: str | None) -> tuple[pd.DataFrame, Any]:
    blocks = {name: {"unit": units[name], "seed": 1} if name in units else None for name in NAMES}
    settings = {**SETTINGS, "experiments.*.permute_labels": blocks}
    return make_table("leak_meter", results, settings, NAMES)


def one(frame: pd.DataFrame, measure: str, metric: str, name: str = "paper") -> dict[str, Any]:
    own = frame[(frame["measure"] == measure) & (frame["metric"] == metric)]
    (row,) = own[own["experiment"] == name].to_dict("records")
    return dict(row)


def test_the_best_of_all_runs_stands_against_validations_choice(results: Path) -> None:
    frame, page = meter(results)
    chosen = one(frame, "validation_choice", "uar")
    assert (chosen["lr"], chosen["value"]) == ("1e-05", pytest.approx(UAR["right"]))
    assert chosen["chance"] == pytest.approx(1 / 3)
    best = one(frame, "best_of_runs", "uar")
    assert (best["unit"], best["candidates"]) == ("example", "2")
    assert [best[key] for key in ("value", "against", "difference")] == pytest.approx(
        [1, UAR["right"], 1 - UAR["right"]], abs=1e-6
    )
    shown = page.parts[0][1]
    assert shown["what"].tolist()[:4:2] == [
        "chosen on validation examples",
        "best of 2 runs for each example",
    ]


def test_matched_experiments_have_their_paired_difference(results: Path) -> None:
    numbers = {"mixed": 0.8, "apart": 0.6, "difference": 0.2, "interval": "bootstrap"}
    same = {"matched": "other", "to": "paper", "model": "resnet18", "lr": "1e-05", **numbers}
    rows = [{**same, "metric": metric} for metric in ("uf1", "uar")]
    matched(results, *({**row, "lr": "1e-03", "mixed": 0} for row in rows), *rows)
    frame, _ = meter(results)
    found = one(frame, "matched", "uf1", "other")
    assert [found[key] for key in ("value", "against", "difference")] == [0.8, 0.6, 0.2]
    assert (found["lr"], found["interval"]) == ("1e-05", "bootstrap")
    assert set(frame.loc[frame["measure"] == "matched", "experiment"]) == {"other"}


def test_epochs_that_the_test_set_chooses(results: Path) -> None:
    """Means over the repeats of validation's choice; the other rate does not count."""
    path = results / "experiments/paper/evaluation/best_epochs.tsv"
    rows = [
        ("resnet18", lr, repeat, "example", 9, metric, last, last + 0.1, 3, last + 0.3)
        for lr, start in (("1e-05", 0.2), ("1e-04", 0.0))
        for repeat, last in ((1, start), (2, start + 0.2))
        for metric in ("uf1", "uar")
    ]
    tsv.write(pd.DataFrame(rows, columns=list(schemas.BEST_EPOCHS)), path, schemas.BEST_EPOCHS)
    frame, page = meter(results)
    for measure, gain in (("epoch_best_for_all", 0.1), ("epoch_best_for_each", 0.3)):
        found = one(frame, measure, "uar")
        assert [found[key] for key in ("value", "against", "difference")] == pytest.approx(
            [0.3 + gain, 0.3, gain]
        )
    assert "best epoch of 9 for each example" in page.parts[0][1]["what"].tolist()


def test_what_is_recognised_and_permuted_labels(results: Path) -> None:
    identity(results, "other", right=None)
    frame, page = meter(results, other="subject")
    assert one(frame, "recognised", "subject")["value"] == pytest.approx(0.9)
    assert one(frame, "recognised", "database", "other")["chance"] == pytest.approx(0.4)
    recognised = frame[frame["measure"] == "recognised"]
    assert len(recognised) == 3, "no subject can be recognised in the second experiment"
    assert set(frame["permuted_by"]) == {"", "subject"}
    assert page.parts[1][1]["experiment"].tolist()[-1] == "other (labels permuted by subject)"


def draw(results: Path, frame: pd.DataFrame):
    tsv.write(frame, results / "comparison/leak_meter.tsv", schemas.LEAK_METER)
    return registry.load("figure", "leak_meter").draw(declared("figure", "leak_meter", results), {})


def test_the_figure_shows_every_measure_of_every_experiment(results: Path) -> None:
    rows = [
        {"matched": "other", "to": "paper", "model": "resnet18", "lr": "1e-05", "metric": metric}
        for metric in ("uf1", "uar")
    ]
    matched(results, *({**row, "mixed": 0.8, "apart": 0.6} for row in rows))
    frame, _ = meter(results, other="clip")
    figure = draw(results, frame)
    uf1, uar, recognised = figure.axes
    assert [label.get_text() for label in uf1.get_yticklabels()] == [
        "paper",
        "best of 2 runs for each example",
        "other (labels permuted by clip)",
        "groups on both sides (matched)",
        "best of 2 runs for each example",
    ]
    heights = list(uf1.get_yticks())
    filled = {
        round(float(line.get_ydata()[0]), 3): float(line.get_xdata()[0])
        for line in uar.lines
        if line.get_marker() not in ("None", None) and line.get_markerfacecolor() != "white"
    }
    assert [filled[round(height, 3)] for height in heights] == pytest.approx(
        [UAR["right"], 1, UAR["right"], 0.8, 1], abs=1e-6
    )
    points = [line.get_xdata()[0] for line in recognised.lines if line.get_marker() != "None"]
    assert points == pytest.approx([0.9, 0.7] * 2)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[-3:] == ["subject recognised", "database recognised", "chance"]
