"""Protocols: equation (1), the cap, validation and the paper's draw; leaving groups out."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from fleeting import registry
from fleeting.errors import UserError
from fleeting.protocols import leave_one_out, random_images
from fleeting.protocols.random_images import share
from fleeting.splits.protocol import Draw
from fleeting.splits.split import check
from small_splits import labelled

SCRIPTS = Path(random_images.__file__).parents[2]


def examples(**counts: int) -> pd.DataFrame:
    rows = [
        {"example": f"{label}/{number:04d}", "label": label}
        for label, count in counts.items()
        for number in range(count)
    ]
    return pd.DataFrame(rows).sort_values("example", ignore_index=True)


def draw(pool: pd.DataFrame, **keys: Any) -> tuple[pd.DataFrame, Draw]:
    """The pool with the role of each example (`unused` if it has none), and the draw."""
    settings = random_images.Settings.model_validate({"kind": "random_images", **keys})
    drawn = random_images.split(pool, list(pool["label"].unique()), settings, 1)
    (fold,) = drawn.folds
    roles = pd.Series("unused", index=pool.index)
    for role, positions in fold.by_role.items():
        assert (roles.iloc[positions] == "unused").all()
        roles.iloc[positions] = role
    return pool.assign(role=roles), drawn


def sizes(split: pd.DataFrame, label: str) -> dict[str, int]:
    return split[split["label"] == label]["role"].value_counts().to_dict()


@pytest.mark.parametrize(
    ("total", "threshold", "expected"),
    [(100, 0.25, 25), (75, 0.2, 15), (2, 0.25, 1), (6, 0.25, 2), (5, 0.25, 1), (50, 0.35, 18)],
)
def test_equation_1_rounds_half_up(total: int, threshold: float, expected: int) -> None:
    assert share(total, threshold) == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "19bdfedf0bd279b1a9eeeb7f00e80e4cf9bbb63294cc39045dcab9cbe4217422"),
        (
            {"validation": {"from": "surplus"}, "seed": 7, "images_per_class": 50},
            "b029a04973f57ae1a444fa9f27e8c6d12d037d14e68363a5d3d95e360b626af1",
        ),
    ],
)
def test_the_draw_is_that_of_version_1(keys: dict[str, Any], expected: str) -> None:
    # The digests were computed by commit 1a0c983.
    split, _ = draw(examples(disgust=399, tense=110, others=70), **keys)
    unused = split["role"] == "unused"
    rows = [*split[~unused][["example", "role"]].to_numpy()]
    rows += [(name, "over") for name in split[unused]["example"]]
    text = "".join(f"{name}\t{role}\n" for name, role in rows)
    assert hashlib.sha256(text.encode()).hexdigest() == expected


def test_the_papers_sizes_and_a_class_that_falls_short() -> None:
    split, drawn = draw(examples(disgust=399, tense=40))
    assert sizes(split, "disgust") == {"train": 60, "validation": 15, "test": 25, "unused": 299}
    assert sizes(split, "tense") == {"train": 24, "validation": 6, "test": 10}
    assert drawn.unused[0] == "over_cap"
    assert drawn.notes == ["class tense: 40 examples, 60 short of 100"]
    assert [fold.name for fold in drawn.folds] == ["1"]


def test_validation_from_the_surplus_keeps_75_and_25() -> None:
    pool = examples(disgust=130, tense=110, others=100)
    split, drawn = draw(pool, validation={"from": "surplus"})
    assert sizes(split, "disgust") == {"train": 75, "validation": 25, "test": 25, "unused": 5}
    assert sizes(split, "tense") == {"train": 75, "validation": 10, "test": 25}
    assert sizes(split, "others") == {"train": 75, "test": 25}
    assert any("tense: 10 validation examples, 25" in note for note in drawn.notes)
    assert any("others: 0 validation examples" in note for note in drawn.notes)
    default, _ = draw(pool)
    assert ((default["role"] == "test") == (split["role"] == "test")).all()


def test_the_seed_decides_and_one_class_does_not_redraw_another() -> None:
    first, _ = draw(examples(disgust=130, tense=140))
    other, _ = draw(examples(disgust=130, tense=150))
    seeded, _ = draw(examples(disgust=130, tense=140), seed=2)
    disgust = first["label"] == "disgust"
    pd.testing.assert_frame_equal(first[disgust], other[other["label"] == "disgust"])
    assert not first.equals(seeded)


def test_a_class_with_nothing_to_train_on_is_an_error() -> None:
    with pytest.raises(UserError, match="none is left to train on"):
        draw(examples(disgust=2, tense=9), test_fraction=0.9)


@pytest.mark.parametrize("block", [{"from": "train", "fraction": 0.4}, {"from": "surplus"}])
def test_settings_survive_json(block: dict[str, Any]) -> None:
    made = random_images.Settings.model_validate({"kind": "random_images", "validation": block})
    assert random_images.Settings.model_validate(made.model_dump(mode="json")) == made
    assert made.model_dump(mode="json")["validation"] == block


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("random_images", {"validation": {"from": "surplus", "fraction": 0.2}}),
        ("random_images", {"validation": {"from": "elsewhere"}}),
        ("random_images", {"images_per_class": 3}),
        ("random_images", {"test_fraction": 1}),
        ("leave_one_out", {"group": "person"}),
        ("leave_one_out", {"validation_fraction": 0}),
    ],
)
def test_wrong_settings_are_refused(kind: str, keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.load("protocol", kind).Settings.model_validate({"kind": kind, **keys})


def test_the_number_of_folds_is_known_beforehand_where_it_can_be() -> None:
    assert random_images.folds(random_images.Settings(kind="random_images")) == 1
    assert leave_one_out.folds(leave_one_out.Settings(kind="leave_one_out")) is None


def test_what_snakemake_and_training_import_is_light() -> None:
    code = (
        "import sys; import fleeting.protocols.random_images, fleeting.protocols.leave_one_out; "
        "import fleeting.splits.folds, fleeting.examples.arrays; "
        "assert not {'pandas', 'sklearn', 'torch', 'cv2', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SCRIPTS)


def test_each_repeat_may_have_a_split_of_its_own() -> None:
    pool = examples(a=200, b=90)
    settings = random_images.Settings(kind="random_images", redraw=True)
    assert random_images.folds(settings) is None
    drawn = random_images.split(pool, ["a", "b"], settings, 3)
    assert [(fold.name, fold.repeat) for fold in drawn.folds] == [
        ("repeat 1", 1),
        ("repeat 2", 2),
        ("repeat 3", 3),
    ]
    tested = [set(fold.test) for fold in drawn.folds]
    assert [len(one) for one in tested] == [48, 48, 48]
    assert tested[0] != tested[1] != tested[2] != tested[0]
    assert drawn.notes == ["class b: 90 examples, 10 short of 100"], "once"
    # More repeats leave the splits of the others as they are.
    again = random_images.split(pool, ["a", "b"], settings, 5)
    for fold, same in zip(drawn.folds, again.folds, strict=False):
        assert set(fold.train) == set(same.train)


def clips() -> pd.DataFrame:
    """Three clips a subject in three databases, which have subjects of the same names."""
    return labelled(
        *(
            (f"{database}/s{subject}/c{clip}", ["a", "b"][(clip + subject) % 2])
            for database in ("casme", "samm", "smic")
            for subject in range(8)
            for clip in range(3)
        )
    )


def leave_out(pool: pd.DataFrame, **keys: Any) -> Draw:
    settings = leave_one_out.Settings.model_validate({"kind": "leave_one_out", **keys})
    drawn = leave_one_out.split(pool, ["a", "b"], settings, 1)
    check(drawn, pool, "leave_one_out")
    return drawn


@pytest.mark.parametrize(
    ("group", "columns", "count"),
    [
        ("subject", ["database", "subject"], 24),
        ("clip", ["database", "subject", "clip"], 72),
        ("database", ["database"], 3),
    ],
)
def test_every_group_is_tested_once_and_shares_nothing(
    group: str, columns: list[str], count: int
) -> None:
    pool = clips()
    groups = pool[columns].agg("/".join, axis=1)
    drawn = leave_out(pool, group=group)
    assert [fold.name for fold in drawn.folds] == sorted(set(groups))
    assert len(drawn.folds) == count
    for fold in drawn.folds:
        by_role = {role: set(groups.iloc[positions]) for role, positions in fold.by_role.items()}
        assert by_role["test"] == {fold.name}
        assert not by_role["train"] & by_role["validation"]
        assert by_role["train"] | by_role["validation"] == set(groups) - {fold.name}
        assert len(by_role["validation"]) == -(-(count - 1) // 5)


def test_validation_follows_from_the_seed_and_the_folds_name() -> None:
    pool = clips()
    first, seeded = leave_out(pool), leave_out(pool, seed=2)
    held_out, other = (
        [tuple(fold.validation) for fold in drawn.folds] for drawn in (first, seeded)
    )
    assert held_out != other
    assert len(set(held_out)) > 12, "not the same subjects in every fold"
    # A fold keeps its validation where only another fold's name is new.
    renamed = pool.assign(subject=pool["subject"].replace("s7", "s9"))
    for old, new in zip(first.folds, leave_out(renamed).folds, strict=True):
        if old.name == new.name:
            assert (old.validation == new.validation).all()


def test_too_few_groups_are_an_error() -> None:
    pool = labelled(*((f"samm/{subject}/{clip}", "a") for subject in "123" for clip in "ab"))
    assert len(leave_out(pool).folds) == 3
    with pytest.raises(UserError, match="leaving one subject out needs at least 3 of them"):
        leave_out(pool[:4])
    with pytest.raises(UserError, match="leaving one database out needs at least 3"):
        leave_out(pool, group="database")
    with pytest.raises(UserError, match="validation_fraction: 0.6 of 2 subjects, rounded up"):
        leave_out(pool, validation_fraction=0.6)
