"""What one clip is worth, and the ceiling of a phase, in the scores by group."""

from pathlib import Path

import pandas as pd
import pytest

from fabricated_runs import (
    SETTINGS,
    declared,
    experiment_folder,
    summarise,
    write_run,
    write_split,
)
from fleeting import registry, tsv
from fleeting.evaluation.ceiling import TRUTH, ceiling, with_seen

#: Three clips of two phases each; happiness has two of them.
EXAMPLES = [
    f"{clip}/{phase}"
    for clip in ("casme/s1/a/1", "casme/s1/b/1", "casme/s2/a/1")
    for phase in ("onset", "apex")
]
LABELS = ("happiness", "happiness", "happiness", "happiness", "surprise", "surprise")


def scores_by_group(results: Path, truth: list[Path] | None = None) -> tuple[pd.DataFrame, str]:
    files = declared("table", "scores_by_group", results)
    if truth:
        files["truth"] = truth
    frame, page = registry.load("table", "scores_by_group").make(files, SETTINGS)
    own = frame[frame["choice"] == "paper"]
    return own.set_index(["group", "metric"]), page.note


def test_one_clip_is_worth_its_share_of_a_class(tmp_path: Path) -> None:
    write_run(tmp_path, LABELS, labels=LABELS, examples=EXAMPLES)
    summarise(tmp_path)
    frame, note = scores_by_group(tmp_path)
    every = frame.loc[("all", "uar")]
    assert (every["examples"], every["clips"]) == (6, 3)
    assert frame.loc[("phase/apex", "uar"), "clips"] == 3
    happiness = frame.loc[("class/happiness", "uar")]
    assert (happiness["examples"], happiness["clips"]) == (4, 2)
    assert (happiness["clip_in_recall"], happiness["clip_in_uar"]) == (1 / 2, 1 / 4)
    surprise = frame.loc[("class/surprise", "accuracy")]
    assert (surprise["clip_in_recall"], surprise["clip_in_uar"]) == (1, 1 / 2)
    absent = frame.loc[("class/others", "uar")]
    assert absent["clips"] == 0
    others = frame[~frame.index.get_level_values("group").str.startswith("class/")]
    assert others[["clip_in_recall", "clip_in_uar"]].isna().all(axis=None)
    assert frame["ceiling"].isna().all(), "real databases have no known truth"
    assert "eiling" not in note


def test_one_clip_is_what_changes_the_scores_by_its_worth(tmp_path: Path) -> None:
    """The last clip of happiness is predicted wrongly, in all of its images."""
    wrong = (*LABELS[:2], "surprise", "surprise", *LABELS[4:])
    for repeat, predicted in enumerate((LABELS, wrong), start=1):
        write_run(tmp_path, predicted, labels=LABELS, examples=EXAMPLES, repeat=repeat)
    summarise(tmp_path, repeats=2)
    frame, _ = scores_by_group(tmp_path)
    for group, column in (("class/happiness", "clip_in_recall"), ("all", "clip_in_uar")):
        score = frame.loc[(group, "uar")]
        worth = frame.loc[("class/happiness", "uar"), column]
        assert score["high"] - score["low"] == pytest.approx(worth)


def test_clips_of_splits_of_their_own_are_a_mean_over_repeats(tmp_path: Path) -> None:
    """Fold 1 is repeat 1's, with two clips of happiness; fold 2 is repeat 2's, with one."""
    for repeat, count in ((1, 6), (2, 2)):
        examples, labels = EXAMPLES[:count], LABELS[:count]
        write_run(tmp_path, labels, labels=labels, examples=examples, repeat=repeat, fold=repeat)
    write_split(tmp_path, repeats={1: 1, 2: 2})
    summarise(tmp_path, repeats=2)
    frame, _ = scores_by_group(tmp_path)
    assert frame.loc[("class/happiness", "uar"), "clips"] == 1.5
    assert frame.loc[("all", "uar"), "clips"] == 2


def rows(*lines: tuple[str, str, str, str]) -> pd.DataFrame:
    """Rows of a split of one fold: sample, phase, label and role."""
    return pd.DataFrame(
        [
            {
                "example": f"{sample}/{phase}",
                "sample": sample,
                "database": sample.split("/")[0],
                "subject": sample.split("/")[1],
                "phase": phase,
                "label": label,
                "fold": "1",
                "split": role,
            }
            for sample, phase, label, role in lines
        ]
    )


def truth(*lines: tuple[str, str, str]) -> pd.DataFrame:
    """What samples show: the intensity at the onset (at the apex 1), and action units."""
    return pd.DataFrame(
        [(sample, onset, "1.000000", "0.500000", units) for sample, onset, units in lines],
        columns=list(TRUTH),
    )


def ceilings(split: pd.DataFrame, known: pd.DataFrame, phase: str) -> tuple[float, float]:
    tested = split[split["split"] == "test"]
    seen = with_seen(tested, split, known)
    own = seen[seen["phase"] == phase]
    return ceiling(own, "accuracy"), ceiling(own, "uar")


CLIPS = ("casme/s1/a", "casme/s1/b", "casme/s2/a", "casme/s2/b", "casme/s3/a")
OF_CLIPS = dict(
    zip(CLIPS, ("happiness", "happiness", "happiness", "surprise", "others"), strict=True)
)
UNITS = {"happiness": "12=1.010", "surprise": "1=0.900 2=1.000", "others": "4=1.000"}
TESTED = rows(
    *(
        (clip, phase, label, "test")
        for clip, label in OF_CLIPS.items()
        for phase in ("onset", "apex")
    )
)
NEUTRAL = truth(*((clip, "0.000000", UNITS[label]) for clip, label in OF_CLIPS.items()))


def test_pictures_that_show_nothing_get_one_class() -> None:
    assert ceilings(TESTED, NEUTRAL, "onset") == pytest.approx((3 / 5, 1 / 3))
    assert ceilings(TESTED, NEUTRAL, "apex") == (1, 1)


def test_a_faint_expression_can_be_told_in_principle() -> None:
    faint = NEUTRAL.assign(onset_intensity="0.010000")
    assert ceilings(TESTED, faint, "onset") == (1, 1)


def test_classes_of_the_same_action_units_cannot() -> None:
    same = NEUTRAL.assign(
        action_units=NEUTRAL["action_units"].replace("4=1.000", "1=0.850 2=1.100")
    )
    # Surprise and others are alike: one of the two examples, one of the two classes.
    assert ceilings(TESTED, same, "apex") == pytest.approx((4 / 5, 2 / 3))


def test_the_database_is_seen_in_any_picture() -> None:
    split = TESTED.assign(database=["casme"] * 6 + ["samm"] * 4)
    # In one database all are happy, in the other there is one of each.
    assert ceilings(split, NEUTRAL, "onset") == pytest.approx((4 / 5, 2 / 3))


@pytest.mark.parametrize(
    ("trained", "expected"),
    [
        # Another image of the clip: of the others, three of four are happy.
        (("casme/s3/a", "apex", "others", "train"), (4 / 5, 2 / 3)),
        # Another clip of the subject: its two pictures get one class, the three others another.
        (("casme/s2/c", "apex", "happiness", "train"), (3 / 5, 2 / 3)),
    ],
    ids=["clip", "subject"],
)
def test_clips_and_subjects_are_known_where_they_are_trained_on(trained, expected) -> None:
    split = pd.concat([TESTED, rows(trained)])
    accuracy, uar = ceilings(split, NEUTRAL, "onset")
    assert accuracy == pytest.approx(expected[0])
    assert uar == pytest.approx(expected[1])


def test_the_table_has_a_ceiling_by_phase_of_synthetic_databases(tmp_path: Path) -> None:
    write_run(tmp_path, LABELS, labels=LABELS, examples=EXAMPLES)
    summarise(tmp_path)
    split = experiment_folder(tmp_path) / "split.tsv"
    known = truth(
        *(
            (name, "0.000000", UNITS[label])
            for name, label in zip(
                ("casme/s1/a/1", "casme/s1/b/1", "casme/s2/a/1"),
                ("happiness", "happiness", "surprise"),
                strict=True,
            )
        )
    )
    tsv.write(known, tmp_path / "truth.tsv", TRUTH)
    # Its training examples are other clips of the same subjects.
    apart = tsv.read(split, tsv.SPLIT)
    tsv.write(apart[apart["split"] == "test"], split, tsv.SPLIT)
    frame, note = scores_by_group(tmp_path, [tmp_path / "truth.tsv"])
    assert frame.loc[("phase/onset", "accuracy"), "ceiling"] == pytest.approx(2 / 3)
    assert frame.loc[("phase/onset", "uar"), "ceiling"] == 1 / 2
    assert frame.loc[("phase/apex", "uar"), "ceiling"] == 1
    assert frame["ceiling"].notna().sum() == 4, "accuracy and UAR of two phases"
    assert "The ceiling is known because the databases are synthetic" in note
