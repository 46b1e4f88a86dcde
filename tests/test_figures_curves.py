"""Figures of training: lines, bands, axes and matrices, on fabricated summaries."""

import json
import math
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fleeting import registry, tsv
from fleeting.drawing import curves, style
from fleeting.drawing.draw import run
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.results import Choice
from fleeting.evaluation.schemas import HISTORY_METRICS
from fleeting.figures import confusion, learning_rates, losses, validation_accuracy

MODELS = ["resnet18", "resnet34"]
LRS = ["1e-03", "1e-02"]
CLASSES = ["disgust", "a class with a rather long name", "others"]


def summarised_curves(epochs: int = 4, repeats: int = 3, models=MODELS, lrs=LRS) -> pd.DataFrame:
    rows = []
    for model, lr, epoch in product(models, lrs, range(1, epochs + 1)):
        row = {"model": model, "lr": lr, "epoch": epoch, "repeats": repeats}
        for metric in HISTORY_METRICS:
            mean = 0.5 + 0.01 * epoch + 0.1 * models.index(model)
            row |= {f"{metric}_mean": mean, f"{metric}_sd": 0.1}
            row |= {f"{metric}_low": mean - 0.1, f"{metric}_high": mean + 0.1}
        rows.append(row)
    return pd.DataFrame(rows)


def summarised_confusions(repeats: int = 3) -> pd.DataFrame:
    rows = [
        {
            "model": model,
            "lr": lr,
            "label": label,
            "predicted": predicted,
            "count_mean": 7.5 if label == predicted else 1.5,
            "rate_mean": 0.75 if label == predicted else 0.125,
            "repeats": repeats,
        }
        for model, lr, label, predicted in product(MODELS, LRS, CLASSES, CLASSES)
    ]
    return pd.DataFrame(rows)


def legend(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_validation_accuracy_draws_every_model_at_that_rate_with_chance():
    frame = summarised_curves()
    frame.loc[frame["lr"] == "1e-02", "validation_accuracy_mean"] = 0.9
    axes = validation_accuracy.plot(frame, "1e-03", 4, "images").axes[0]
    assert legend(axes) == ["ResNet18", "ResNet34", "chance: 1/4 = 0.25"]
    assert axes.get_ylim() == (0, 1)
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [
        pytest.approx([0.51, 0.52, 0.53, 0.54]),
        pytest.approx([0.61, 0.62, 0.63, 0.64]),
    ]
    assert axes.lines[2].get_ydata()[0] == 0.25
    assert axes.get_legend().get_title().get_text().startswith("mean of 3 repeats")


def test_the_band_runs_from_the_lowest_to_the_highest_repeat():
    axes = validation_accuracy.plot(summarised_curves(), "1e-03", 4, "images").axes[0]
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.41, 0.64))


def test_one_repeat_has_no_band_and_says_so():
    axes = validation_accuracy.plot(summarised_curves(repeats=1), "1e-03", 4, "images").axes[0]
    assert not axes.collections
    assert axes.get_legend().get_title().get_text() == "1 repeat, no band"


def test_lines_can_be_told_apart_without_colour():
    looks = [style.look(position) for position in range(5)]
    assert len({str(look["linestyle"]) for look in looks}) == 5
    assert len({look["marker"] for look in looks}) == 5


def test_one_epoch_is_a_marker_at_a_whole_epoch():
    figure = validation_accuracy.plot(summarised_curves(epochs=1), "1e-03", 4, "images")
    axes = figure.axes[0]
    figure.draw_without_rendering()
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [1]
    assert axes.lines[0].get_markevery() == [0]


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_value_that_is_no_number_is_a_gap(value):
    frame = summarised_curves()
    frame.loc[frame["epoch"] == 2, "validation_loss_mean"] = value
    line = curves.curve(frame, "resnet18", "1e-03", "validation_loss")
    assert np.isnan(line.mean[1])
    assert np.isfinite(np.delete(line.mean, 1)).all()
    losses.plot(frame, "resnet18", 4).draw_without_rendering()


def test_a_value_between_gaps_has_a_marker():
    frame = summarised_curves(epochs=100, models=["resnet18"])
    frame.loc[frame["epoch"].isin([36, 38]), "validation_accuracy_mean"] = math.nan
    line = validation_accuracy.plot(frame, "1e-03", 4, "images").axes[0].lines[0]
    assert 36 in line.get_markevery()
    assert len(line.get_markevery()) == 11


def test_a_configuration_that_the_grid_lacks_is_left_out():
    frame = summarised_curves()
    frame = frame[(frame["model"] != "resnet34") | (frame["lr"] != "1e-03")]
    assert curves.curve(frame, "resnet34", "1e-03", "train_loss") is None
    axes = validation_accuracy.plot(frame, "1e-03", 4, "images").axes[0]
    assert legend(axes) == ["ResNet18", "chance: 1/4 = 0.25"]


def test_learning_rates_come_largest_first_with_validation_dashed():
    axes = learning_rates.plot(summarised_curves(), "resnet34", 4, "images").axes[0]
    assert legend(axes)[:4] == [
        "1e-02, training",
        "1e-02, validation",
        "1e-03, training",
        "1e-03, validation",
    ]
    assert [line.is_dashed() for line in axes.lines[:4]] == [False, True, False, True]
    assert axes.lines[0].get_color() == axes.lines[1].get_color() != axes.lines[2].get_color()
    assert axes.get_title() == "ResNet34"


def test_losses_have_a_panel_a_rate_and_the_loss_at_chance():
    figure = losses.plot(summarised_curves(), "resnet18", 4)
    assert [axes.get_title() for axes in figure.axes] == [
        "learning rate 1e-02",
        "learning rate 1e-03",
    ]
    assert figure.axes[0].lines[2].get_ydata()[0] == pytest.approx(math.log(4))
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()


def test_a_loss_that_explodes_is_counted_and_does_not_flatten_the_others():
    frame = summarised_curves()
    frame.loc[(frame["lr"] == "1e-02") & (frame["epoch"] > 2), "train_loss_mean"] = 1e6
    frame.loc[(frame["lr"] == "1e-02") & (frame["epoch"] > 2), "train_loss_high"] = 1e6
    figure = losses.plot(frame, "resnet18", 4)
    assert figure.axes[0].get_ylim()[1] < 6
    assert "2 points above the axis" in figure.axes[0].get_title()
    assert figure.axes[1].get_title() == "learning rate 1e-03"


def choice(name: str, model: str, lr: str) -> Choice:
    return Choice(name, model, lr, "because")


def test_confusion_shows_both_choices_with_shares_and_counts():
    chosen = [choice("paper", "resnet18", "1e-03"), choice("validation", "resnet34", "1e-02")]
    figure = confusion.plot(summarised_confusions(), chosen, CLASSES, "images")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "paper's choice\nResNet18 at 1e-03, mean of 3 repeats",
        "validation's choice\nResNet34 at 1e-02, mean of 3 repeats",
    ]
    cells = [text.get_text() for text in figure.axes[0].texts]
    assert cells[:2] == ["0.75\n(7.5)", "0.12\n(1.5)"]


def test_confusion_of_two_equal_choices_is_one_matrix():
    chosen = [choice("paper", "resnet18", "1e-03"), choice("validation", "resnet18", "1e-03")]
    figure = confusion.plot(summarised_confusions(repeats=1), chosen, CLASSES, "images")
    assert [axes.get_title() for axes in figure.axes] == [
        "paper's choice and validation's choice\nResNet18 at 1e-03, 1 repeat"
    ]


def test_confusion_leaves_a_class_without_test_images_open():
    frame = summarised_confusions()
    frame.loc[frame["label"] == "others", "rate_mean"] = math.nan
    figure = confusion.plot(frame, [choice("paper", "resnet18", "1e-03")], CLASSES, "images")
    assert [text.get_text()[0] for text in figure.axes[0].texts[6:]] == ["–"] * 3


def test_confusion_names_a_choice_without_a_matrix():
    with pytest.raises(UserError, match="resnet50 at 1e-03"):
        confusion.plot(
            summarised_confusions(), [choice("paper", "resnet50", "1e-03")], CLASSES, "images"
        )


def test_long_class_names_stay_inside_the_figure():
    names = [f"{name} and a name that is longer still" for name in CLASSES]
    frame = summarised_confusions().replace(dict(zip(CLASSES, names, strict=True)))
    figure = confusion.plot(frame, [choice("paper", "resnet18", "1e-03")], names, "images")
    figure.draw_without_rendering()
    width, height = figure.get_size_inches() * figure.dpi
    axes = figure.axes[0]
    for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        box = label.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_the_same_figure_is_saved_as_the_same_bytes_without_a_date(tmp_path):
    paths = [(tmp_path / f"{run}.svg", tmp_path / f"{run}.png") for run in "ab"]
    for svg, png in paths:
        style.save(validation_accuracy.plot(summarised_curves(), "1e-03", 4, "images"), svg, png)
    assert paths[0][0].read_bytes() == paths[1][0].read_bytes()
    assert paths[0][1].read_bytes() == paths[1][1].read_bytes()
    assert "<dc:date>" not in paths[0][0].read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "b.png", "b.svg"]


@pytest.fixture(scope="module")
def summaries(tmp_path_factory) -> dict[str, Path]:
    """Every summary that these figures read, by the name under which they declare it."""
    folder = tmp_path_factory.mktemp("evaluation")
    paths = {name: folder / f"{name}.tsv" for name in ("curves", "confusions", "choices")}
    confusions = summarised_confusions().assign(count_sd=0.1)
    confusions = confusions.assign(**{f"rate_{name}": 0.1 for name in ("sd", "low", "high")})
    chosen = [("paper", "resnet18", "1e-03", "x"), ("validation", "resnet34", "1e-02", "x")]
    tsv.write(summarised_curves(), paths["curves"], schemas.CURVES)
    tsv.write(confusions, paths["confusions"], schemas.CONFUSIONS)
    columns = list(schemas.CHOICES)
    tsv.write(pd.DataFrame(chosen, columns=columns), paths["choices"], schemas.CHOICES)
    paths["gate"] = folder / "split.json"
    values = {"channels": ["grey"], "zero": 0, "unit": 255, "shape": [8, 8, 1], "dtype": "uint8"}
    digests = {f"{name}_sha256": "0" * 64 for name in ("examples", "split", "folds")}
    gate = {"classes": CLASSES, "input": values, "folds": 1, "examples": 9, **digests}
    paths["gate"].write_text(json.dumps(gate), encoding="utf-8")
    return paths


@pytest.mark.parametrize(
    ("name", "lr"),
    [
        ("validation_accuracy", "1e-02"),
        ("learning_rates", None),
        ("losses", None),
        ("confusion", None),
    ],
)
def test_the_job_draws_a_figure_from_the_files_that_it_declares(summaries, tmp_path, name, lr):
    constants = registry.constants("figure", name)
    files = [f"{key}={summaries[key]}" for key in constants["READS"]]
    settings = {"input.kind": "image"} if "SETTINGS" in constants else {}
    svg, png = tmp_path / "a.svg", tmp_path / "a.png"
    run(figure=name, files=files, settings=settings, lr=lr, svg=svg, png=png)
    assert svg.read_text().startswith("<?xml")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_missing_summary_is_named(summaries, tmp_path):
    files = [f"{key}={path}" for key, path in summaries.items() if key in ("choices", "gate")]
    files.append(f"curves={tmp_path / 'curves.tsv'}")
    with pytest.raises(UserError, match=r"curves\.tsv: the table is missing"):
        run(figure="losses", files=files, settings={}, svg=tmp_path / "a", png=tmp_path / "b")
