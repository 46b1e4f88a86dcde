"""What tables and notes say of the best null model and the best baseline."""

from pathlib import Path

import pytest

from fabricated_runs import (
    CLASSES,
    experiment_folder,
    make_table,
    summarise,
    write_baselines,
    write_run,
)
from fleeting import tsv
from fleeting.evaluation import schemas, verdict
from fleeting.evaluation.gains import gains
from fleeting.evaluation.summary import Summary

SUBJECTS = 12
#: Each subject shows each class once, so that no subject and no database gives a class away.
EXAMPLES = [
    f"{'casme' if number % 2 else 'samm'}/s{number:02}/{label}/1/apex"
    for number in range(SUBJECTS)
    for label in CLASSES
]
LABELS = list(CLASSES) * SUBJECTS


def summarised(results: Path, wrong: int) -> Summary:
    """A network whose first predictions are of another class than the examples."""
    others = dict(zip(CLASSES, [*CLASSES[1:], CLASSES[0]], strict=True))
    predicted = [*map(others.__getitem__, LABELS[:wrong]), *LABELS[wrong:]]
    write_run(results, predicted, labels=LABELS, examples=EXAMPLES)
    return summarise(results)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (6, "above"),
        (24, "not above"),
        (36, "not above"),
    ],
)
def test_the_note_says_whether_a_network_is_above_the_null_models(
    tmp_path: Path, wrong: int, place: str
) -> None:
    summary = summarised(tmp_path, wrong)
    said = verdict.sentence(summary, summary.choices[0])
    assert (
        "Of 2 null models, which are given annotations alone, the best is always the most frequent "
        f"class: UAR 0.333, 95% interval [0.333, 0.333]; the network is {place} each of them "
        "(paired over subjects)."
    ) in said
    assert "Of all" not in said, "none looks at the examples"


def test_the_table_has_baselines_and_networks_by_their_uar(tmp_path: Path) -> None:
    summarised(tmp_path, 6)
    frame, page = make_table("baselines", tmp_path)
    assert frame["predictor"].tolist() == ["paper", "validation", "majority", "database_only"]
    assert frame["uar"].tolist() == pytest.approx([30 / 36, 30 / 36, 1 / 3, 1 / 3])
    assert frame["looks_at"].tolist() == ["examples", "examples", "labels", "labels"]
    for choice in ("paper", "validation"):
        assert frame[choice].tolist() == ["", "", "above", "above"]
    ((_, shown),) = page.parts
    assert shown["predictor"].tolist()[1:3] == [
        "network, validation: ResNet18 at 1e-05",
        "always the most frequent class",
    ]
    assert shown["is given"].tolist()[2] == "annotations alone"


def test_a_network_is_paired_with_a_baseline(tmp_path: Path) -> None:
    """Both fail on the same subjects: the network's interval is wide, that of its gain is not.

    The network is right on every example of six subjects, the baseline on those that are not happy.
    """
    summary = summarised(tmp_path, 18)
    path = experiment_folder(tmp_path) / "evaluation" / "baseline_counts.tsv"
    counts = summary.counts.assign(baseline="majority")
    counts.loc[counts["label"] == "happiness", "predicted"] = "others"
    tsv.write(counts[list(schemas.BASELINE_COUNTS)], path, schemas.BASELINE_COUNTS)
    interval = summary.interval("resnet18", "1e-05", "uar")
    found = gains(summary, summary.choices[0])["majority"]
    assert interval.low < found.second == pytest.approx(1 / 3)
    assert found.mean == pytest.approx(1 / 6)
    assert verdict.against(interval, found.second) == "includes"
    assert verdict.against(found, 0) == "above"
    experiments = make_table("experiments", tmp_path)[0].iloc[0]
    assert (experiments["above_nulls"], experiments["above_baselines"]) == ("yes", "yes")


def test_few_subjects_say_nothing_of_baselines(tmp_path: Path) -> None:
    """A range over leaving one out is no interval."""
    some = slice(0, 12)
    write_run(tmp_path, LABELS[some], labels=LABELS[some], examples=EXAMPLES[some])
    summary = summarise(tmp_path)
    said = verdict.sentence(summary, summary.choices[0])
    assert "1.000 to 1.000 without one of the subjects over 4 subjects (4.0 effective)" in said
    assert "too few for an interval; chance is 0.333." in said
    assert "the network is" not in said
    frame, _ = make_table("baselines", tmp_path)
    assert set(frame["paper"]) == {""}
    experiments = make_table("experiments", tmp_path)[0].iloc[0]
    assert experiments["above_baselines"] == ""


def test_without_baselines_nothing_is_said_of_any(tmp_path: Path) -> None:
    summarised(tmp_path, 6)
    write_baselines(experiment_folder(tmp_path), ())
    experiments = make_table("experiments", tmp_path)[0].iloc[0]
    assert (experiments["above_nulls"], experiments["above_baselines"]) == ("", "")


def test_the_best_stand_beside_chance_in_other_tables(tmp_path: Path) -> None:
    summarised(tmp_path, 6)
    experiments = make_table("experiments", tmp_path)[0].iloc[0]
    assert experiments["best_null"] == experiments["best_baseline"]
    assert experiments["best_null_uar"] == pytest.approx(1 / 3, abs=1e-6)
    scores = make_table("scores_by_group", tmp_path)[0].set_index(["choice", "group", "metric"])
    apex = scores.loc["paper", "phase/apex", "accuracy"]
    assert (apex["best_null"], apex["best_null_score"]) == (
        "always the most frequent class",
        pytest.approx(1 / 3, abs=1e-6),
    )
    assert scores.loc["paper", "class/others", "uar"]["best_baseline"] == ""
