"""`make rescore`: every metric of anyone's predictions, how sure it is, and what a claim means."""

from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fleeting import registry
from fleeting.errors import UserError
from fleeting.evaluation.intervals import NOTE, Bootstrap, Interval, columns, draw, text
from fleeting.rescore.definitions import Coded, definitions, fitting, present
from fleeting.rescore.nulls import nulls
from fleeting.rescore.predictions import Predictions, read

METRICS = {"uf1": "UF1", "uar": "UAR", "accuracy": "accuracy"}


@dataclass(frozen=True)
class Group:
    """The scores of all predictions or of a database's, over its K classes."""

    name: str
    predictions: int
    subjects: int
    classes: list[str]
    scores: dict[str, float]
    #: Empty where the file does not name subjects.
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class Rescored:
    """What the predictions give."""

    groups: list[Group]
    nulls: dict[str, dict[str, float]]
    definitions: dict[str, float]


def run(*, file: Path, claim: str, columns: str) -> None:
    """Print what a file of predictions gives.

    Args:
        file: see `predictions.read`.
        claim: empty, or a claimed number such as `uar=0.7605`.
        columns: empty, or headings such as `label=truth predicted=output`.
    """
    predictions = read(file, _pairs(columns, "COLUMNS"))
    found = rescore(predictions)
    print("\n".join(describe(found)))
    if lines := predictions.incomplete:
        print(
            f"Warning: {len(lines)} of {len(lines) + len(predictions.label)} lines lack a label or "
            f"a prediction and are left out, the first of them line {lines[0]}."
        )
    print("".join(f"Warning: {line}\n" for line in doubts(predictions)), end="")
    for metric, number in _pairs(claim, "CLAIM").items():
        print(explain(metric, number, found))


def _pairs(text: str, name: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split()]
    if any(not sign or not value for _, sign, value in pairs):
        raise UserError(f'{name}="{text}": write it as name=value, for example uar=0.7605')
    return {key: value for key, _, value in pairs}


def rescore(predictions: Predictions) -> Rescored:
    """Score predictions by every definition, overall and by database.

    The predictions of all subjects are pooled. A subject is one of its database.
    """
    coded = code(predictions)
    has_subjects = any(predictions.subject)
    groups = [_group("all", coded, np.ones(len(coded.label), dtype=bool), has_subjects)]
    if len(coded.databases) > 1:
        groups += [
            _group(name, coded, coded.database == index, has_subjects)
            for index, name in enumerate(coded.databases)
        ]
    return Rescored(groups, nulls(coded), definitions(coded))


def doubts(predictions: Predictions) -> list[str]:
    """What suggests that labels and predictions are not written alike."""
    label, predicted = set(predictions.label), set(predictions.predicted)
    found = []
    if not label & predicted:
        found.append(
            f"no prediction is one of the labels ({', '.join(sorted(label))}); write both alike, "
            "or name the right columns with COLUMNS"
        )
    spellings = defaultdict(set)
    for name in label | predicted:
        spellings[name.casefold()].add(name)
    for names in spellings.values():
        if len(names) > 1:
            found.append(f"{' and '.join(sorted(names))} count as different classes")
    return sorted(found)


def code(predictions: Predictions) -> Coded:
    """The predictions as indices."""
    classes = sorted({*predictions.label, *predictions.predicted})
    subjects = sorted(set(zip(predictions.database, predictions.subject, strict=True)))
    databases = sorted(set(predictions.database))
    places = [
        {name: index for index, name in enumerate(names)}
        for names in (classes, databases, subjects)
    ]
    of_class, of_database, of_subject = places
    pairs = zip(predictions.database, predictions.subject, strict=True)
    return Coded(
        classes,
        databases,
        subjects,
        np.array([of_class[name] for name in predictions.label]),
        np.array([of_class[name] for name in predictions.predicted]),
        np.array([of_database[name] for name in predictions.database]),
        np.array([of_subject[pair] for pair in pairs]),
    )


def _group(name: str, coded: Coded, members: np.ndarray, has_subjects: bool) -> Group:
    own = replace(
        coded,
        label=coded.label[members],
        predicted=coded.predicted[members],
        database=coded.database[members],
        subject=coded.subject[members],
    )
    by_subject = own.counts(own.subject, len(own.subjects))
    pooled = by_subject.sum(axis=0)
    classes = present(pooled)
    functions = {metric: registry.load("metric", metric).score for metric in METRICS}
    intervals = {}
    if has_subjects:
        resamples = draw([database for database, _ in own.subjects], 1)
        bootstrap = Bootstrap(by_subject[None], resamples)
        intervals = {
            metric: bootstrap.interval(function, classes) for metric, function in functions.items()
        }
    return Group(
        name,
        len(own.label),
        int((by_subject.sum(axis=(1, 2)) > 0).sum()) if has_subjects else 0,
        [own.classes[index] for index in classes],
        {metric: float(function(pooled, classes)) for metric, function in functions.items()},
        intervals,
    )


def describe(found: Rescored) -> list[str]:
    """The scores, the null models and what the intervals are, as lines of text."""
    width = max(len(name) for name in [*(group.name for group in found.groups), *found.nulls])
    lines = []
    for group in found.groups:
        over = f", {group.subjects} subjects" if group.subjects else ""
        if interval := group.intervals.get("uar"):
            over += f" ({interval.effective_subjects:.1f} effective)"
        lines.append(
            f"{group.name}: {group.predictions} predictions{over}, K = {len(group.classes)}: "
            + ", ".join(group.classes)
        )
        for metric, title in METRICS.items():
            ends = text(*columns(group.intervals.get(metric)).values())
            lines.append(f"  {title:<10}{group.scores[metric]:.4f}  {ends}".rstrip())
        if interval and interval.lacking:
            lines.append(
                f"  {interval.lacking:.1%} of the resamples lack a class, whose F1 and recall "
                "count as 0 there."
            )
    lines.append("\nWithout looking at a face:")
    lines.append(f"{'':<{width}}  " + "  ".join(f"{title:>8}" for title in METRICS.values()))
    for name, scores in found.nulls.items():
        values = "  ".join(f"{scores[metric]:>8.4f}" for metric in METRICS)
        lines.append(f"{name:<{width}}  {values}")
    lines.append("\nThe same predictions by other definitions:")
    lines += [f"{value:.4f}  {name}" for name, value in found.definitions.items()]
    has_intervals = any(group.intervals for group in found.groups)
    lines.append(
        f"\n{NOTE}"
        if has_intervals
        else "\nThe file does not name subjects, so there are no intervals."
    )
    return lines


def explain(metric: str, number: str, found: Rescored) -> str:
    """What a claimed number is by the definitions: one of them, several or none."""
    try:
        fits = fitting(number, found.definitions)
    except ValueError:
        raise UserError(f"CLAIM: {number!r} is not a number, such as 0.7605 or 76.05%") from None
    title = METRICS.get(metric.casefold(), metric)
    own = found.definitions.get(title)
    begin = f"Claimed: {title} {number}."
    if own is not None:
        begin += f" The {title} of these predictions is {own:.4f}."
    if not fits:
        return f"{begin} No definition gives the claimed number."
    if fits == [title]:
        return f"{begin} It is that."
    if len(fits) == 1:
        return f"{begin} The claimed number is the {fits[0]}."
    return f"{begin} Ambiguous: the claimed number fits {'; '.join(fits)}."
