"""The bootstrap over subjects, against scipy's and by properties."""

import numpy as np
import pytest
from scipy.stats import binom, bootstrap

from fabricated_runs import (
    ALL_HAPPY,
    ONE_WRONG,
    experiment_folder,
    summarise,
    write_run,
    write_split,
)
from fleeting import registry
from fleeting.evaluation import intervals, schemas, verdict
from fleeting.evaluation.confusion import of_groups
from fleeting.evaluation.intervals import Bootstrap, Interval, draw
from fleeting.evaluation.permutation import PERMUTATIONS

CLASSES = [0, 1, 2]


def predictions(generator, subjects, each=6, skill=0.5):
    """Labels, predictions and subjects: some subjects are easier than others."""
    label = generator.integers(0, 3, (subjects, each))
    right = generator.random((subjects, each)) < skill + generator.normal(0, 0.15, (subjects, 1))
    predicted = np.where(right, label, generator.integers(0, 3, (subjects, each)))
    subject = np.repeat(np.arange(subjects), each)
    return label.ravel(), predicted.ravel(), subject


def counted(generator, subjects, repeats=1, **others):
    return np.stack(
        [
            of_groups(*predictions(generator, subjects, **others), subjects, 3)
            for _ in range(repeats)
        ]
    )


@pytest.mark.parametrize("metric", ["accuracy", "uar", "uf1"])
def test_the_interval_is_that_of_scipy(metric):
    """To Monte Carlo error, for one repeat and one database."""
    score = registry.load("metric", metric).score
    counts = counted(np.random.default_rng(5), 40)
    found = Bootstrap(counts, draw(["a"] * 40, 1, count=20_000)).interval(score, CLASSES)
    expected = bootstrap(
        (np.arange(40),),
        lambda drawn: score(counts[0, drawn].sum(axis=0), CLASSES),
        vectorized=False,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.005)
    assert found.kind == intervals.BOOTSTRAP
    assert found.mean == pytest.approx(score(counts[0].sum(axis=0), CLASSES))


def test_subjects_are_drawn_within_their_database():
    resamples = draw(["a"] * 3 + ["b"] * 5, 4, count=500)
    assert set(resamples.subjects[:, :3].sum(axis=1)) == {3}
    assert set(resamples.subjects[:, 3:].sum(axis=1)) == {5}
    assert set(resamples.repeats.sum(axis=1)) == {4}
    assert resamples.subjects.std(axis=0).min() > 0.5


def test_repeats_are_no_additional_subjects():
    """Ten equal repeats are as sure as one; repeats that differ widen the interval."""
    score = registry.load("metric", "uar").score
    counts = counted(np.random.default_rng(2), 30)
    one, same = (
        Bootstrap(np.repeat(counts, repeats, axis=0), draw(["a"] * 30, repeats)).interval(
            score, CLASSES
        )
        for repeats in (1, 10)
    )
    assert (same.high - same.low) == pytest.approx(one.high - one.low, abs=0.01)
    good, bad = counted(np.random.default_rng(3), 30, skill=1), counts
    mixed = Bootstrap(np.concatenate([good, bad]), draw(["a"] * 30, 2)).interval(score, CLASSES)
    assert mixed.high - mixed.low > 2 * (one.high - one.low)


def test_clips_of_one_subject_are_not_independent():
    """The same clips, as if each were a subject of its own: too narrow an interval."""
    score = registry.load("metric", "accuracy").score
    label, predicted, subject = predictions(np.random.default_rng(4), 25, each=12)
    by_subject = of_groups(label, predicted, subject, 25, 3)[None]
    by_clip = of_groups(label, predicted, np.arange(len(label)), len(label), 3)[None]
    wide = Bootstrap(by_subject, draw(["a"] * 25, 1)).interval(score, CLASSES)
    narrow = Bootstrap(by_clip, draw(["a"] * len(label), 1)).interval(score, CLASSES)
    assert narrow.high - narrow.low < wide.high - wide.low


def test_few_subjects_have_a_range_in_place_of_an_interval():
    score = registry.load("metric", "uar").score
    counts = counted(np.random.default_rng(1), 8, repeats=2)
    found = Bootstrap(counts, draw(["a"] * 8, 2)).interval(score, CLASSES)
    assert (found.kind, found.subjects, found.effective_subjects) == (intervals.RANGE, 8, 8)
    without = [
        score(np.delete(counts, one, axis=1).sum(axis=1), CLASSES).mean() for one in range(8)
    ]
    assert (found.low, found.high) == pytest.approx((min(without), max(without)))
    assert intervals.text(found.low, found.high, found.kind).endswith(", range)")
    assert verdict.against(found, 0) == "", "a range is no interval"


def test_the_effective_number_of_subjects():
    assert intervals.effective_number(np.array([5.0, 5, 5, 5])) == 4
    assert intervals.effective_number(np.array([97.0, 1, 1, 1])) == pytest.approx(1.06, abs=0.01)


def test_classes_are_those_of_the_whole_group():
    """A resample without a class counts its F1 as 0, and is counted itself."""
    counts = np.zeros((1, 12, 3, 3))
    counts[0, :, 0, 0] = counts[0, :, 1, 1] = 5
    counts[0, 0, 2, 2] = 1
    score = registry.load("metric", "uf1").score
    found = Bootstrap(counts, draw(["a"] * 12, 1)).interval(score, CLASSES)
    assert (found.mean, found.high, found.low) == pytest.approx((1, 1, 2 / 3))
    assert found.lacking == pytest.approx((11 / 12) ** 12, abs=0.03)


def test_a_class_is_scored_on_the_subjects_that_have_it():
    counts = counted(np.random.default_rng(1), 30)
    counts[0, 4:, 2] = 0
    score = registry.load("metric", "uar").score
    bootstrap = Bootstrap(counts, draw(["a"] * 30, 1))
    assert bootstrap.interval(score, [0]).kind == intervals.BOOTSTRAP
    rare = bootstrap.interval(score, [2])
    assert (rare.kind, rare.subjects) == (intervals.RANGE, 4)
    counts[0, :, 2] = 0
    assert Bootstrap(counts, draw(["a"] * 30, 1)).interval(score, [2]).subjects == 0


def test_every_score_of_every_group_has_one(tmp_path):
    for repeat, predicted in enumerate((ONE_WRONG, ALL_HAPPY), start=1):
        write_run(tmp_path, predicted, repeat=repeat)
    summary = summarise(tmp_path, repeats=2)
    table = schemas.read(
        experiment_folder(tmp_path) / "evaluation/intervals.tsv", schemas.INTERVALS
    )
    scores = summary.scores[summary.scores["metric"].isin(["accuracy", "uf1", "uar"])]
    for (group, metric), values in scores.groupby(["group", "metric"])["value"]:
        (row,) = table[(table["group"] == group) & (table["metric"] == metric)].to_dict("records")
        assert row["mean"] == pytest.approx(values.mean(), abs=1e-6)
        assert row["subjects"] == 1
        assert np.isnan(row["low"]), "without its one subject nothing is left"


def test_a_repeat_is_scored_over_its_own_classes(tmp_path):
    """With splits of their own, the second lacks a class, and the first a database."""
    names = [f"casme/s{subject}/{clip}/1/apex" for subject in range(12) for clip in range(3)]
    others = [f"samm/s{subject}/{clip}/1/apex" for subject in range(2) for clip in range(3)]
    labels = ["happiness", "others", "surprise"] * 12
    two = ["happiness", "others", "others"] * 14
    write_run(tmp_path, labels, labels=labels, examples=names, repeat=1, fold=1)
    write_run(tmp_path, two, labels=two, examples=[*names, *others], repeat=2, fold=2)
    write_split(tmp_path, repeats={1: 1, 2: 2})
    summary = summarise(tmp_path, repeats=2)
    for group in ("all", "database/casme", "database/samm"):
        for metric in ("uf1", "uar"):
            found = summary.interval("resnet18", "1e-05", metric, group)
            assert found.mean == summary.spread("resnet18", "1e-05", metric, group)["mean"] == 1
            assert found.low == found.high == 1
    lacking = summary.interval("resnet18", "1e-05", "uf1", "class/surprise")
    assert lacking.mean == 0.5, "as in scores.tsv, which has 0 for the second repeat"


@pytest.mark.parametrize(
    ("low", "high", "place"), [(0.4, 0.6, "above"), (0.2, 0.4, "includes"), (0.1, 0.3, "below")]
)
def test_what_an_interval_says_beside_chance(low, high, place):
    interval = Interval((low + high) / 2, low, high, intervals.BOOTSTRAP, 40, 30.0, 0.0)
    assert verdict.against(interval, 1 / 3) == place


def test_an_interval_that_was_rounded_up_is_not_above_chance():
    interval = Interval(1 / 6, 0.166667, 0.166667, intervals.BOOTSTRAP, 40, 30.0, 0.0)
    assert verdict.against(interval, 1 / 6) == "includes"


def test_the_level_that_guessing_rarely_exceeds():
    for examples, classes in ((150, 6), (442, 3)):
        level = verdict.binomial_level(examples, classes)
        assert binom.sf(level * examples, examples, 1 / classes) <= 0.05
        assert binom.sf(level * examples - 1, examples, 1 / classes) > 0.05


@pytest.mark.parametrize(("accuracy", "trained"), [(0.45, False), (0.95, True)])
def test_the_sentence_tells_untrained_from_not_generalising(tmp_path, accuracy, trained):
    write_run(tmp_path, ONE_WRONG, validation=(0.2, accuracy))
    summary = summarise(tmp_path)
    (choice, *_) = summary.choices
    said = verdict.sentence(summary, choice)
    assert "UAR 0.833" in said
    assert "of a single subject" in said
    assert "its weights are 25.0% of their initial length away" in said
    assert ("hardly trained" in said) is not trained
    assert "no effect" not in said


def of_subjects(count: int) -> list[str]:
    """Three examples of each of as many subjects of one database."""
    return [f"samm/s{subject}/{clip}/1/apex" for subject in range(count) for clip in range(3)]


def test_scores_stand_beside_those_of_permuted_labels(tmp_path):
    """The repeats have splits of their own: of ten subjects, each tests another nine."""
    labels = np.random.default_rng(1).choice(["happiness", "others", "surprise"], 30).tolist()
    for repeat, own in ((1, slice(0, 27)), (2, slice(3, 30))):
        examples = of_subjects(10)[own]
        write_run(
            tmp_path,
            labels[own],
            labels=labels[own],
            examples=examples,
            repeat=repeat,
            fold=repeat,
        )
    write_split(tmp_path, repeats={1: 1, 2: 2})
    summary = summarise(tmp_path, repeats=2)
    table = schemas.read(
        experiment_folder(tmp_path) / "evaluation/intervals.tsv", schemas.INTERVALS
    )
    every = table["group"] == "all"
    assert table.loc[every, "permuted_p"].eq(1 / (1 + PERMUTATIONS)).all()
    assert table.loc[every, "permuted_mean"].between(0.25, 0.45).all()
    assert table.loc[~every, ["permuted_mean", "permuted_p"]].isna().all(axis=None)
    (choice, *_) = summary.choices
    uar, uf1 = (summary.permuted(choice.model, choice.lr, metric) for metric in ("uar", "uf1"))
    assert (
        "The same predictions with the labels permuted over subjects within their database 1999 "
        f"times have a UAR of {uar.mean:.3f} on average (p = 0.0005) and a UF1 of {uf1.mean:.3f} "
        "on average (p = 0.0005)."
    ) in verdict.sentence(summary, choice)


def test_a_single_subject_has_no_p_value(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    summary = summarise(tmp_path)
    (choice, *_) = summary.choices
    assert summary.permuted(choice.model, choice.lr, "uar") is None
    said = verdict.sentence(summary, choice)
    assert "No database has two subjects, so labels cannot be permuted over subjects." in said
