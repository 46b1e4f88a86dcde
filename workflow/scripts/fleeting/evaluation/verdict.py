"""What a score and its interval say, in a sentence that claims no more."""

from collections.abc import Mapping, Sequence
from math import isnan

from fleeting.evaluation import intervals
from fleeting.evaluation.baseline_scores import BaselineScore
from fleeting.evaluation.gains import gains
from fleeting.evaluation.intervals import Interval
from fleeting.evaluation.paired import Difference
from fleeting.evaluation.permutation import PERMUTATIONS
from fleeting.evaluation.scores import metric_title
from fleeting.evaluation.summary import Choice, Summary, of_configuration

#: A network that is not this share of the way from chance to all training examples was hardly
#: trained.
TRAINED = 0.25


def binomial_level(examples: int, classes: int) -> float:
    """The accuracy that guessing exceeds in fewer than one case of twenty.

    Combrisson and Jerbi, Exceeding chance level by chance, 2015. It holds for independent examples;
    those of one subject are alike, so the true level is higher.

    Args:
        examples: how many are tested.
        classes: how many are guessed equally often.
    """
    from scipy.stats import binom

    return float(binom.ppf(0.95, examples, 1 / classes) / examples)


def against(found: Interval | Difference, value: float) -> str:
    """Where a value lies: the interval is `above` or `below` it, or `includes` it.

    Empty where there is no interval: of a single subject, or where a range stands in its place.
    """
    if isnan(found.low) or found.kind == intervals.RANGE:
        return ""
    # As exact as an interval that was read from a table: 1/6 is not below 0.166667.
    low, high, value = (round(number, 6) for number in (found.low, found.high, value))
    if low > value:
        return "above"
    return "below" if high < value else "includes"


def above_each(gained: Mapping[str, Difference], baselines: Sequence[BaselineScore]) -> bool | None:
    """Whether a UAR is above each of some baselines; None without one, or with too few subjects.

    It is above each where the interval of every difference is above zero (an intersection of tests,
    so nothing is corrected for their number).

    Args:
        gained: see `gains`.
        baselines: some of those.
    """
    places = {against(gained[one.name], 0) for one in baselines if one.name in gained}
    return None if places <= {""} else places == {"above"}


def sentence(summary: Summary, choice: Choice) -> str:
    """What the UAR of a choice says beside chance and baselines, and whether it was trained."""
    interval = summary.interval(choice.model, choice.lr, "uar")
    if interval is None:
        return ""
    tested = round(sum(summary.support.values()))
    classes = len(summary.classes)
    level = binomial_level(tested, classes)
    chance = f"chance ({summary.chance:.3f})"
    place = {
        "above": f", which excludes {chance}",
        "below": f", which lies below {chance}",
        "includes": f", which does not exclude {chance}",
        "": f"; chance is {summary.chance:.3f}",
    }[against(interval, summary.chance)]
    over = f"over {interval.subjects} subjects ({interval.effective_subjects:.1f} effective)"
    if interval.subjects == 1:
        ends = "of a single subject, so without an interval"
    elif interval.kind == intervals.RANGE:
        ends = f"{interval.low:.3f} to {interval.high:.3f} without one of the subjects"
        ends += f" {over}, too few for an interval"
    else:
        ends = f"95% interval [{interval.low:.3f}, {interval.high:.3f}] {over}"
    return (
        f"{choice.title}: UAR {interval.mean:.3f}, {ends}{place}. "
        f"Guessing {tested} independent examples exceeds an accuracy of {level:.3f} in fewer than "
        f"one case of twenty. {_beside_baselines(summary, choice)}"
        f"{_permuted(summary, choice)} {_training(summary, choice)}"
    )


def note(summary: Summary) -> str:
    """What the choices' scores say, how they were obtained, and what an interval is."""
    said = [sentence(summary, one) for one in summary.distinct_choices]
    return " ".join([*filter(None, said), summary.provenance(), intervals.NOTE])


def _permuted(summary: Summary, choice: Choice) -> str:
    """What the choice would score if labels and predictions had nothing to do with each other."""
    parts = [
        f"a {metric_title(metric)} of {found.mean:.3f} on average (p = {found.p:.4f})"
        for metric in ("uar", "uf1")
        if (found := summary.permuted(choice.model, choice.lr, metric))
    ]
    if not parts:
        return "No database has two subjects, so labels cannot be permuted over subjects."
    return (
        "The same predictions with the labels permuted over subjects within their database "
        f"{PERMUTATIONS} times have {' and '.join(parts)}."
    )


def _beside_baselines(summary: Summary, choice: Choice) -> str:
    """Whether a UAR is above each null model, and above each baseline, as sentences."""
    gained = gains(summary, choice)
    every, nulls = summary.baselines.scores("uar"), summary.baselines.nulls("uar")
    said = ""
    if nulls:
        said += f"Of {len(nulls)} null models, which are given annotations alone, "
        said += _best(nulls, gained)
    if len(every) > len(nulls):
        said += f"Of all {len(every)} baselines, {_best(every, gained)}"
    return said


def _best(baselines: Sequence[BaselineScore], gained: Mapping[str, Difference]) -> str:
    """The best of some baselines, and whether the network is above each of them."""
    best = max(baselines, key=lambda one: one.score)
    place = {
        True: "; the network is above each of them (paired over subjects)",
        False: "; the network is not above each of them (paired over subjects)",
        None: "",
    }[above_each(gained, baselines)]
    own = best.interval
    ends = {
        "": "",
        intervals.BOOTSTRAP: f", 95% interval [{own.low:.3f}, {own.high:.3f}]",
        intervals.RANGE: f", {own.low:.3f} to {own.high:.3f} without one of the subjects",
    }["" if isnan(own.low) else own.kind]
    return f"the best is {best.title}: UAR {best.score:.3f}{ends}{place}. "


def _training(summary: Summary, choice: Choice) -> str:
    """Whether the choice learned its training examples: without that, its test says little."""
    runs = of_configuration(summary.finished, choice.model, choice.lr)
    epoch = "last" if (runs["tested_epoch"] == runs["epochs"]).all() else "tested"
    accuracy, moved = runs["tested_train_accuracy"].mean(), runs["weights_moved"].mean()
    said = (
        f"After the {epoch} epoch {accuracy:.3f} of its training examples are right, and its "
        f"weights are {moved:.1%} of their initial length away from where they started"
    )
    if accuracy < summary.chance + TRAINED * (1 - summary.chance):
        return f"{said}: it was hardly trained, which says little of what it can learn."
    return f"{said}."
