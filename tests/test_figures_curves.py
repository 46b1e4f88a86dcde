"""Figures of training: lines, bands, axes and matrices, on fabricated summaries."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest

from figure_tables import CLASSES, SETTINGS, chosen, draw, texts, write_files
from fleeting.drawing import draw as draw_job
from fleeting.drawing import style
from fleeting.errors import UserError
from fleeting.evaluation.schemas import HISTORY_METRICS

MODELS = ["resnet18", "resnet34"]
LRS = ["1e-03", "1e-02"]
AT = {**SETTINGS, "lr": "1e-03"}
PAPERS, VALIDATIONS = ("resnet18", "1e-03"), ("resnet34", "1e-02")


def summarised_curves(epochs: int = 4, repeats: int = 3, models=MODELS) -> pd.DataFrame:
    rows = []
    for model, lr, epoch in product(models, LRS, range(1, epochs + 1)):
        row = {"model": model, "lr": lr, "epoch": epoch, "repeats": repeats}
        for metric in HISTORY_METRICS:
            mean = 0.5 + 0.01 * epoch + 0.1 * models.index(model)
            row |= {f"{metric}_mean": mean}
            row |= {f"{metric}_low": mean - 0.1, f"{metric}_high": mean + 0.1}
        rows.append(row)
    return pd.DataFrame(rows)


def validation_accuracy(folder, table: pd.DataFrame):
    """The axes of the figure at 1e-03."""
    return draw("validation_accuracy", folder, {"curves": table}, AT).axes[0]


def of_model(name: str, folder, table: pd.DataFrame, model: str = "resnet18"):
    return draw(name, folder, {"curves": table, "choices": chosen((model, "1e-03"))})


def confusion(folder, *configurations, classes=CLASSES, unknown: str = "", repeats: int = 3):
    """Three of four test examples of each class are right; class `unknown` has no test example."""
    rows = [
        {
            "model": model,
            "lr": lr,
            "label": label,
            "predicted": predicted,
            "count_mean": 7.5 if label == predicted else 1.5,
            "rate_mean": (0.75 if label == predicted else 0.125) if label != unknown else math.nan,
            "repeats": repeats,
        }
        for model, lr, label, predicted in product(MODELS, LRS, classes, classes)
    ]
    tables = {"confusions": pd.DataFrame(rows), "choices": chosen(*configurations)}
    return draw("confusion", folder, tables, classes=classes)


def test_validation_accuracy_draws_every_model_at_that_rate_with_band_and_chance(tmp_path):
    table = summarised_curves()
    table.loc[table["lr"] == "1e-02", "validation_accuracy_mean"] = 0.9
    axes = validation_accuracy(tmp_path, table)
    assert texts(axes.get_legend().get_texts()) == ["ResNet18", "ResNet34", "chance: 1/3 = 0.33"]
    assert axes.get_ylim() == (0, 1)
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [
        pytest.approx([0.51, 0.52, 0.53, 0.54]),
        pytest.approx([0.61, 0.62, 0.63, 0.64]),
    ]
    assert axes.lines[2].get_ydata()[0] == 1 / 3
    assert axes.get_legend().get_title().get_text().startswith("mean of 3 repeats")
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.41, 0.64))


def test_one_repeat_has_no_band_and_says_so(tmp_path):
    axes = validation_accuracy(tmp_path, summarised_curves(repeats=1))
    assert not axes.collections
    assert axes.get_legend().get_title().get_text() == "1 repeat, no band"


def test_a_curve_with_fewer_repeats_says_so_and_one_that_is_missing_is_left_out(tmp_path):
    table = summarised_curves()
    table.loc[table["model"] == "resnet18", "repeats"] = 2
    axes = validation_accuracy(tmp_path, table[table["lr"] != "1e-03"].assign(lr="1e-03"))
    assert texts(axes.get_legend().get_texts())[0] == "ResNet18 (2 repeats)"
    axes = validation_accuracy(tmp_path, table[(table["model"] + table["lr"]) != "resnet341e-03"])
    assert len(axes.get_legend().get_texts()) == 2


def test_lines_can_be_told_apart_without_colour():
    looks = [style.line_style(position) for position in range(5)]
    assert len({str(look["linestyle"]) for look in looks}) == 5
    assert len({look["marker"] for look in looks}) == 5


def test_one_epoch_is_a_marker_at_a_whole_epoch(tmp_path):
    axes = validation_accuracy(tmp_path, summarised_curves(epochs=1))
    axes.figure.draw_without_rendering()
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
    assert axes.lines[0].get_markevery() == [0]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_not_finite_is_a_gap(tmp_path, value):
    table = summarised_curves()
    table.loc[table["epoch"] == 2, "validation_loss_mean"] = value
    line = of_model("losses", tmp_path, table).axes[0].lines[1]
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False, False]


def test_a_value_between_gaps_has_a_marker(tmp_path):
    table = summarised_curves(epochs=100, models=["resnet18"])
    table.loc[table["epoch"].isin([36, 38]), "validation_accuracy_mean"] = math.nan
    line = validation_accuracy(tmp_path, table).lines[0]
    assert 36 in line.get_markevery()
    assert len(line.get_markevery()) == 11


def test_learning_rates_come_largest_first_with_validation_dashed(tmp_path):
    axes = of_model("learning_rates", tmp_path, summarised_curves(), "resnet34").axes[0]
    assert texts(axes.get_legend().get_texts())[:4] == [
        "1e-02, training",
        "1e-02, validation",
        "1e-03, training",
        "1e-03, validation",
    ]
    assert [line.is_dashed() for line in axes.lines[:4]] == [False, True, False, True]
    assert axes.lines[0].get_color() == axes.lines[1].get_color() != axes.lines[2].get_color()
    assert axes.get_title() == "ResNet34"


def test_losses_have_a_panel_a_rate_and_count_what_would_flatten_the_others(tmp_path):
    table = summarised_curves()
    exploded = (table["lr"] == "1e-02") & (table["epoch"] > 2)
    table.loc[exploded, ["train_loss_mean", "train_loss_high"]] = 1e6
    first, second = of_model("losses", tmp_path, table).axes
    assert first.get_title() == "learning rate 1e-02\n(2 points above the axis)"
    assert second.get_title() == "learning rate 1e-03"
    assert first.lines[2].get_ydata()[0] == pytest.approx(math.log(3))
    assert first.get_ylim() == second.get_ylim()
    assert first.get_ylim()[1] < 6


def test_confusion_shows_both_choices_with_shares_and_counts(tmp_path):
    figure = confusion(tmp_path, PAPERS, VALIDATIONS, unknown="others")
    assert [axes.get_title() for axes in figure.axes] == [
        "paper's choice\nResNet18 at 1e-03, mean of 3 repeats",
        "validation's choice\nResNet34 at 1e-02, mean of 3 repeats",
    ]
    cells = texts(figure.axes[0].texts)
    assert cells[:2] == ["0.75\n(7.5)", "0.12\n(1.5)"]
    assert [cell[0] for cell in cells[6:]] == ["–"] * 3


def test_confusion_of_two_equal_choices_is_one_matrix(tmp_path):
    figure = confusion(tmp_path, PAPERS, PAPERS, repeats=1)
    assert [axes.get_title() for axes in figure.axes] == [
        "paper's choice and validation's choice\nResNet18 at 1e-03, 1 repeat"
    ]


def test_confusion_names_a_choice_without_a_matrix(tmp_path):
    with pytest.raises(UserError, match="resnet50 at 1e-03"):
        confusion(tmp_path, ("resnet50", "1e-03"))


def test_long_class_names_stay_inside_the_figure(tmp_path):
    names = tuple(f"{name} and a name that is longer still" for name in CLASSES)
    figure = confusion(tmp_path, PAPERS, classes=names)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        box = label.get_window_extent()
        assert figure.bbox.fully_contains(box.x0, box.y0)
        assert figure.bbox.fully_contains(box.x1, box.y1)


def test_the_job_saves_the_same_bytes_without_a_date(tmp_path):
    files = write_files("validation_accuracy", tmp_path, {"curves": summarised_curves()})
    items = [f"{key}={path}" for key, (path,) in files.items()]
    settings = {"input.kind": "image"}
    saved = [(tmp_path / "out" / f"{run}.svg", tmp_path / "out" / f"{run}.png") for run in "ab"]
    for svg, png in saved:
        draw_job.run(
            figure="validation_accuracy",
            files=items,
            settings=settings,
            lr="1e-02",
            svg=svg,
            png=png,
        )
    first, second = ([path.read_bytes() for path in paths] for paths in saved)
    assert first == second
    assert b"<dc:date>" not in first[0]
    assert first[1].startswith(b"\x89PNG")
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_a_missing_summary_is_named(tmp_path):
    files = write_files("losses", tmp_path, {"curves": summarised_curves(), "choices": chosen()})
    files["curves"][0].unlink()
    items = [f"{key}={path}" for key, (path,) in files.items()]
    with pytest.raises(UserError, match=r"curves\.tsv: the table is missing"):
        draw_job.run(
            figure="losses", files=items, settings={}, svg=tmp_path / "a", png=tmp_path / "b"
        )
