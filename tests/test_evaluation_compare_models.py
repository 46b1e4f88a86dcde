"""The table that compares every configuration with the chosen ones."""

from pathlib import Path

import numpy as np
import pytest

from fabricated_runs import CLASSES, make_table, summarise, write_run

#: Twelve subjects of two databases, with two clips of each class.
EXAMPLES = [
    f"{'casme' if subject % 2 else 'samm'}/s{subject:02d}/c{clip}/1/apex"
    for subject in range(12)
    for clip in range(6)
]
LABELS = [CLASSES[number % 3] for number in range(len(EXAMPLES))]
MODELS, LRS = ("resnet18", "resnet34"), ("1e-04", "1e-05")


def predicted(seed: int, skill: float) -> list[str]:
    generator = np.random.default_rng(seed)
    return [
        label if generator.random() < skill else str(generator.choice(CLASSES)) for label in LABELS
    ]


def write(results: Path, skills: dict[tuple[str, str], float], failed: str | None = None) -> None:
    """Two repeats of each configuration; validation chooses the most skilled one."""
    for number, ((model, lr), skill) in enumerate(skills.items()):
        for repeat in (1, 2):
            write_run(
                results,
                predicted(10 * number + repeat, skill),
                model=model,
                lr=lr,
                repeat=repeat,
                labels=LABELS,
                examples=EXAMPLES,
                validation=(0.1, skill),
                failed=failed if (model, lr, repeat) == ("resnet34", "1e-04", 2) else None,
            )


SKILLS = {
    ("resnet18", "1e-04"): 0.30,
    ("resnet18", "1e-05"): 0.32,
    ("resnet34", "1e-04"): 0.34,
    ("resnet34", "1e-05"): 0.95,
}


def test_each_configuration_is_compared_with_both_choices(tmp_path: Path) -> None:
    write(tmp_path, SKILLS)
    summary = summarise(tmp_path, MODELS, LRS, 2)
    frame, page = make_table("compare_models", tmp_path)
    assert len(frame) == 2 * 2 * 3, "choices, metrics, other configurations"
    row = frame.set_index(["choice", "metric", "model", "lr"]).sort_index()
    better = row.loc[("paper", "uar", "resnet34", "1e-05")]
    expected = [summary.spread(model, "1e-05", "uar")["mean"] for model in ("resnet34", "resnet18")]
    assert (better["score"], better["chosen_score"]) == pytest.approx(expected, abs=1e-6)
    assert better["difference"] == pytest.approx(expected[0] - expected[1], abs=1e-6)
    assert 0 < better["interval_low"] < better["difference"] < better["interval_high"]
    assert (better["interval"], better["repeats"], better["subjects"]) == ("bootstrap", 2, 12)
    assert better["p"] < 0.002
    assert better["p_holm"] == pytest.approx(3 * better["p"])
    back = row.loc[("validation", "uar", "resnet18", "1e-05")]
    assert back["difference"] == pytest.approx(-better["difference"])
    assert back["p"] == better["p"], "two-sided"
    other = row.loc[("paper", "uar", "resnet18", "1e-04")]
    assert other["interval_low"] < 0 < other["interval_high"]
    assert other["p"] > 0.05
    assert (frame["p_holm"] >= frame["p"]).all()
    assert (
        "UAR against paper: ResNet18 at 1e-05: the interval of the difference excludes zero for 1 "
        "of 3 other configurations, and Holm's p is at most 0.05 for 1 of 3."
    ) in page.note
    assert "no effect" not in page.note
    assert [len(part) for _, part in page.parts] == [3] * 4


def test_equal_predictions_have_a_p_value_of_one(tmp_path: Path) -> None:
    for model in MODELS:
        guess = predicted(1, 0.5)
        write_run(tmp_path, guess, model=model, labels=LABELS, examples=EXAMPLES)
    summarise(tmp_path, MODELS)
    frame, page = make_table("compare_models", tmp_path)
    assert len(frame) == 4
    assert len(page.parts) == 2, "validation's choice is the paper's"
    values = frame[["difference", "interval_low", "interval_high", "p", "p_holm"]]
    assert (values.to_numpy() == [0, 0, 0, 1, 1]).all()


def test_a_nested_choice_of_one_configuration_does_not_differ_from_it(tmp_path: Path) -> None:
    """Two folds and three repeats of unequal luck; every fold chooses the same configuration."""
    for repeat, skill in enumerate((0.2, 0.5, 0.8), start=1):
        for model, accuracy in (("resnet18", 0.9), ("resnet34", 0.1)):
            guess = predicted(repeat, skill)
            for fold, own in ((1, slice(0, 36)), (2, slice(36, None))):
                write_run(
                    tmp_path,
                    guess[own],
                    model=model,
                    repeat=repeat,
                    fold=fold,
                    labels=LABELS[own],
                    examples=EXAMPLES[own],
                    validation=(0.1, accuracy),
                )
    summarise(tmp_path, MODELS, repeats=3)
    frame, page = make_table("compare_models", tmp_path)
    nested = frame[frame["model"] == "chosen"]
    assert set(nested["interval"]) == {"bootstrap"}
    assert (nested[["difference", "interval_low", "interval_high"]] == 0).all(axis=None)
    assert "chosen inside each fold" in page.parts[0][1]["configuration"].tolist()


def test_a_failed_repeat_is_compared_on_neither_side(tmp_path: Path) -> None:
    write(tmp_path, SKILLS, failed="the loss is NaN")
    summarise(tmp_path, MODELS, LRS, 2, allow_missing=True)
    frame, _ = make_table("compare_models", tmp_path)
    repeats = frame[frame["choice"] == "paper"].set_index(["model", "lr", "metric"])["repeats"]
    assert repeats["resnet34", "1e-04", "uar"] == 1
    assert repeats["resnet34", "1e-05", "uar"] == 2


def test_a_single_configuration_has_nothing_to_compare(tmp_path: Path) -> None:
    write_run(tmp_path, predicted(1, 0.5), labels=LABELS, examples=EXAMPLES)
    summarise(tmp_path)
    frame, page = make_table("compare_models", tmp_path)
    assert frame.empty
    assert page.note.startswith("The grid has a single configuration")


def test_few_subjects_have_a_range_that_excludes_nothing(tmp_path: Path) -> None:
    for model, skill in zip(MODELS, (0.3, 1.0), strict=True):
        guess = predicted(1, skill)[:24]
        write_run(tmp_path, guess, model=model, labels=LABELS[:24], examples=EXAMPLES[:24])
    summarise(tmp_path, MODELS)
    frame, page = make_table("compare_models", tmp_path)
    assert set(frame["interval"]) == {"range"}
    assert "the subjects are too few for intervals" in page.note
    # Four subjects can be exchanged in sixteen ways, two of which are as extreme.
    assert (frame["p"] == 2 / 16).all()
