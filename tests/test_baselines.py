"""Baselines: what each predicts on small data with known answers, and what none of them sees."""

from collections.abc import Sequence

import pytest
from sklearn.metrics import accuracy_score

from baseline_folds import CLASSES, NAMES, composite, left_out, pictures, rows, run, said
from fleeting import registry
from fleeting.errors import UserError
from fleeting.evaluation.baseline import FoldData
from fleeting.evaluation.run_baselines import DRAWN, predicted
from fleeting.rescore import nulls, score
from fleeting.rescore.predictions import Predictions
from fleeting.splits.folds import FoldSubsets, Subset

TRAIN = rows(
    *(("x/1", f"one{number}", "a") for number in range(4)),
    *(("x/2", f"two{number}", "b") for number in range(3)),
    *(("y/1", f"one{number}", "a") for number in range(5)),
    *(("y/2", f"two{number}", "c") for number in range(2)),
)
#: A clip and a subject that are trained on; a subject of a known database; an unknown database.
TEST = rows(("x/2", "two0", "c"), ("x/2", "new", "c"), ("x/9", "new", "c"), ("z/1", "new", "c"))


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        ("majority", "aaaa"),
        ("database_only", "aaaa"),
        # In x are 3/3 of b, 4/9 of a and no c; in z is nothing.
        ("database_only_balanced", "bbba"),
        ("subject_only", "bbaa"),
        ("clip_only", "bbaa"),
    ],
)
def test_what_the_annotations_alone_suggest(baseline: str, expected: str) -> None:
    assert "".join(said(baseline, TRAIN, TEST)) == expected


def test_a_subject_is_a_person_under_any_name() -> None:
    train = rows(("x/1", "one", "b"), *(("x/2", f"c{number}", "a") for number in range(3)))
    test = rows(("x/7", "new", "c"))
    assert said("subject_only", train, test) == ["a"]
    assert said("subject_only", train, test.assign(person="x/1")) == ["b"]


def test_a_clip_has_the_label_of_its_other_images_whatever_its_subject_shows() -> None:
    clips = [("x/1", "odd", "c"), *(("x/1", f"c{number}", "a") for number in range(5))]
    both = rows(*clips, images=3)
    train, test = both[both.index % 3 > 0], both[both.index % 3 == 0]
    assert "".join(said("clip_only", train, test)) == "caaaaa"
    assert "".join(said("subject_only", train, test)) == "aaaaaa"


def test_always_the_majority_under_leave_one_out_on_balanced_classes() -> None:
    """A subject takes an example of its class along when it is left out: the null is not 1/K."""
    table = rows(*((f"x/{label}{number}", "c", label) for number in range(8) for label in CLASSES))
    found = run("majority", table)
    assert accuracy_score(found["label"], found["predicted"]) == 0


def test_with_subjects_left_out_a_subject_says_no_more_than_its_database() -> None:
    table = composite()
    by_subject, by_database = (run(name, table) for name in ("subject_only", "database_only"))
    assert by_subject["predicted"].tolist() == by_database["predicted"].tolist()
    assert by_database["predicted"].nunique() > 1


@pytest.mark.parametrize("balanced", [False, True])
def test_rescore_counts_databases_alike(balanced: bool) -> None:
    found = run("database_only_balanced" if balanced else "database_only", composite())
    columns = ("label", "predicted", "subject", "database")
    coded = score.code(Predictions(*(found[column].tolist() for column in columns)))
    expected = [coded.classes[place] for place in nulls.database_only(coded, balanced)]
    assert found["predicted"].tolist() == expected


@pytest.mark.parametrize(
    ("baseline", "shares"), [("uniform", (1, 1, 1)), ("stratified", (6, 3, 1))]
)
def test_draws_have_their_shares_and_their_seeds(baseline: str, shares: Sequence[int]) -> None:
    train = rows(
        *(
            ("x/1", f"{label}{number}", label)
            for label, count in zip(CLASSES, (6, 3, 1), strict=True)
            for number in range(count)
        )
    )
    test = rows(*(("x/2", f"c{number}", "a") for number in range(5000)))
    drawn = said(baseline, train, test)
    for label, share in zip(CLASSES, shares, strict=True):
        assert drawn.count(label) / len(drawn) == pytest.approx(share / sum(shares), abs=0.03)
    assert drawn == said(baseline, train, test)
    assert drawn != said(baseline, train, test, seed=2)


@pytest.mark.parametrize("baseline", NAMES)
def test_a_fold_whose_training_examples_have_one_class(baseline: str) -> None:
    table = composite(subjects=6)
    train = table[table["label"] == "b"]
    assert set(said(baseline, train, table, pictures(table))) == {"b"}


@pytest.mark.parametrize("baseline", NAMES)
def test_predictions_do_not_depend_on_the_test_labels(baseline: str) -> None:
    """The labels stay with the caller, which puts them beside the predictions."""
    folds, parts = left_out(composite(subjects=9))
    examples = pictures(composite(subjects=9))
    first = predicted(baseline, folds, parts, CLASSES, examples)
    for key, part in parts.items():
        if key[1] == "test":
            parts[key] = part.assign(label="c")
    second = predicted(baseline, folds, parts, CLASSES, examples)
    assert second["predicted"].tolist() == first["predicted"].tolist()
    assert set(second["label"]) == {"c"}


def test_a_baseline_is_given_no_label_of_a_test_example_and_no_class_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    majority = registry.load("baseline", "majority")
    seen: list[FoldData] = []

    def predict(fold: FoldData) -> list[str]:
        seen.append(fold)
        return ["a"] * len(fold.test)

    monkeypatch.setattr(majority, "predict", predict)
    table = composite(subjects=6)
    run("majority", table)
    assert len(seen) == 6
    for fold in seen:
        assert "label" not in fold.test
        assert len(fold.train) + len(fold.test) == len(table)
    assert len({fold.seed for fold in seen}) == 6
    monkeypatch.setattr(majority, "predict", lambda fold: ["joy"] * len(fold.test))
    with pytest.raises(UserError, match="the baseline majority predicts 'joy', no class"):
        run("majority", table)


def test_repeats_are_draws_or_those_of_the_folds() -> None:
    table = composite(subjects=6)
    assert set(run("majority", table)["repeat"]) == {1}
    drawn = run("uniform", table)
    assert drawn.groupby("repeat").size().tolist() == [len(table)] * DRAWN
    folds, parts = left_out(table)
    redrawn = [
        FoldSubsets(fold.fold, fold.name, fold.fold % 2 + 1, Subset(), Subset(), Subset())
        for fold in folds
    ]
    for baseline in ("majority", "uniform"):
        found = predicted(baseline, redrawn, parts, CLASSES, pictures(table))
        assert len(found) == len(table)
        assert set(found["repeat"]) == {1, 2}
