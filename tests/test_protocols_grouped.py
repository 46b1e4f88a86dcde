"""Grouped folds, and another experiment's folds with their groups mixed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fleeting.config.folds import fold_count, kept_models
from fleeting.config.loading import load
from fleeting.errors import UserError
from fleeting.settings import variant
from fleeting.splits.protocol import Draw, group_names
from fleeting.splits.split import check
from small_splits import labelled

CLASSES = ["a", "b", "c"]
GROUPED = {"kind": "grouped", "folds": 4}


@pytest.fixture(scope="module")
def pool() -> pd.DataFrame:
    """Subjects of uneven size in two databases, with classes of uneven frequency."""
    generator = np.random.default_rng(1)
    return labelled(
        *(
            (f"{database}/s{subject}/c{clip}", generator.choice(CLASSES, p=[0.6, 0.3, 0.1]))
            for database in ("casme", "samm")
            for subject in range(12)
            for clip in range(generator.integers(2, 20))
        )
    )


def drawn(pool: pd.DataFrame, block: dict[str, Any]) -> Draw:
    module, settings = variant("protocol", block)
    made: Draw = module.split(pool, CLASSES, settings, 3)
    check(made, pool, block["kind"])
    return made


def counts(pool: pd.DataFrame, draw: Draw) -> list[tuple[str, str, str, int]]:
    """How many examples of each class each role of each fold has."""
    labels = pool["label"].to_numpy()
    return [
        (fold.name, role, label, int((labels[positions] == label).sum()))
        for fold in draw.folds
        for role, positions in fold.by_role.items()
        for label in CLASSES
    ]


@pytest.mark.parametrize("group", ["subject", "clip"])
def test_every_example_is_tested_once_by_networks_without_its_group(
    pool: pd.DataFrame, group: str
) -> None:
    draw = drawn(pool, {**GROUPED, "group": group})
    tested = np.concatenate([fold.test for fold in draw.folds])
    assert sorted(tested) == list(range(len(pool)))
    assert draw.apart == group
    assert len(set(group_names(pool, group))) == (24 if group == "subject" else len(pool))
    for fold in draw.folds:
        assert sum(map(len, fold.by_role.values())) == len(pool)
        assert 0.1 < len(fold.validation) / (len(pool) - len(fold.test)) < 0.3


def test_classes_are_spread_over_the_folds(pool: pd.DataFrame) -> None:
    shares = pool["label"].value_counts(normalize=True)
    for name, role, label, count in counts(pool, drawn(pool, GROUPED)):
        if role == "test":
            assert count > 0, (name, label)
            assert count / len(pool) == pytest.approx(shares[label] / 4, abs=0.05)


def test_the_seed_decides(pool: pd.DataFrame) -> None:
    same, other = drawn(pool, GROUPED), drawn(pool, {**GROUPED, "seed": 2})
    assert [fold.name for fold in same.folds] == ["1", "2", "3", "4"]
    for fold, again in zip(same.folds, drawn(pool, GROUPED).folds, strict=True):
        assert all((fold.by_role[role] == again.by_role[role]).all() for role in fold.by_role)
    assert any(
        set(fold.test) != set(different.test)
        for fold, different in zip(same.folds, other.folds, strict=True)
    )


@pytest.mark.parametrize("folds", [3, 4])
def test_too_few_groups(folds: int) -> None:
    pool = labelled(*((f"samm/{subject}/{clip}", "a") for subject in "12" for clip in "ab"))
    with pytest.raises(UserError, match=rf"{folds} folds, .* need more than the 2 subjects"):
        drawn(pool, {**GROUPED, "folds": folds})


@pytest.mark.parametrize("to", [GROUPED, {"kind": "leave_one_out"}, {"kind": "random_images"}])
def test_matched_folds_differ_in_nothing_but_who_is_where(
    pool: pd.DataFrame, to: dict[str, Any]
) -> None:
    other, matched = drawn(pool, to), drawn(pool, {"kind": "matched", "to": to})
    assert counts(pool, matched) == counts(pool, other)
    assert matched.apart is None
    assert matched.unused == other.unused
    tested = [
        np.sort(np.concatenate([fold.test for fold in draw.folds])) for draw in (other, matched)
    ]
    np.testing.assert_array_equal(*tested)
    used = [
        {int(at) for fold in draw.folds for part in fold.by_role.values() for at in part}
        for draw in (other, matched)
    ]
    assert used[0] == used[1]


def test_redrawn_folds_cannot_be_mixed(pool: pd.DataFrame) -> None:
    redrawn = {"kind": "random_images", "redraw": True}
    with pytest.raises(UserError, match="random_images tests some examples in several folds"):
        drawn(pool, {"kind": "matched", "to": redrawn})


def test_matched_folds_mix_the_groups(pool: pd.DataFrame) -> None:
    subjects = (pool["database"] + "/" + pool["subject"]).to_numpy()
    for fold in drawn(pool, {"kind": "matched", "to": GROUPED}).folds:
        shared = set(subjects[fold.test]) & set(subjects[fold.train])
        assert len(shared) > 0.9 * len(set(subjects[fold.test]))


def test_the_mixing_follows_from_its_seed(pool: pd.DataFrame) -> None:
    block = {"kind": "matched", "to": GROUPED}
    first, again, other = (
        [tuple(fold.test) for fold in drawn(pool, {**block, "seed": seed}).folds]
        for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"folds": 4}, "for each of 4 parts; a, the largest, has 3: lower"),
        ({"folds": 2}, "fold 1 without its .*3 parts; a, the largest, has 1: raise"),
    ],
)
def test_more_folds_than_any_class_has_examples(block: dict[str, Any], message: str) -> None:
    few = labelled(
        *((f"samm/{number}/c", label) for number, label in enumerate(["a", "b", "c"] * 2 + ["a"]))
    )
    with pytest.raises(UserError, match=message):
        drawn(few, {"kind": "grouped", **block})


def config(**changes: Any) -> dict[str, Any]:
    return {
        "databases": {"samm": {"root": "samm"}},
        "experiments": {
            "paper": {},
            "apart": {"protocol": "grouped"},
            "mixed": {
                "based_on": "apart",
                "protocol": {"kind": "matched", "to": "apart"},
                **changes,
            },
        },
    }


def test_a_config_with_a_matched_experiment() -> None:
    protocol = load(config())["experiments"]["mixed"]["protocol"]
    assert protocol == {"kind": "matched", "to": "apart", "seed": 1}


@pytest.mark.parametrize(
    ("protocol", "count", "kept"),
    [("grouped", 5, "all"), ({"kind": "grouped", "folds": 11}, 11, "none")]
    + [("leave_one_out", None, "none")],
)
def test_a_matched_experiment_has_as_many_folds_and_keeps_as_many_models(
    protocol: Any, count: int | None, kept: str
) -> None:
    given = config()
    given["experiments"]["apart"]["protocol"] = protocol
    complete = load(given)
    mixed = complete["experiments"]["mixed"]
    assert fold_count(complete, mixed) == count
    assert kept_models(complete, mixed) == kept


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": {"kind": "matched", "to": "apar"}}, "'apar'.*do you mean.*apart"),
        ({"protocol": {"kind": "matched", "to": "mixed"}}, "no other experiment is called 'mixed'"),
        ({"exclude_subjects": ["samm/006"]}, "exclude_subjects differs from that of 'apart'"),
        ({"label_map": {"x": ["fear"], "y": ["anger"]}}, "label_map differs"),
    ],
)
def test_what_cannot_be_matched(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=rf"(?s)experiments\.mixed\.protocol\.to: .*{message}"):
        load(config(**changes))
