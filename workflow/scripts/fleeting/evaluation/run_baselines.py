"""The predictions of an experiment's baselines on the folds of its networks, and their scores."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.baseline import Examples, FoldData
from fleeting.evaluation.interval_table import people_of, scored
from fleeting.evaluation.paired import count_by_subject
from fleeting.evaluation.schemas import ALWAYS_SCORED
from fleeting.examples import arrays
from fleeting.motion import motion_channels
from fleeting.splits.folds import FoldSubsets, read_split
from fleeting.splits.protocol import derived_seed

#: How often a baseline that draws at random predicts each test example.
DRAWN = 10
#: The rows of a split by fold and role.
Parts = Mapping[tuple[str, str], pd.DataFrame]


def run(
    *,
    gate: Path,
    split: Path,
    folds: Path,
    examples: list[Path],
    baselines: list[str],
    metrics: list[str],
    predictions: Path,
    scores: Path,
    counts: Path,
) -> None:
    """Predict the test examples of every fold with every baseline.

    Args:
        gate: split.json.
        split: split.tsv.
        folds: folds.tsv.
        examples: the tables of the examples of all databases, their arrays beside them.
        baselines: the experiment's; one that looks at motion is left out where there is none.
        metrics: the experiment's metrics.
        predictions: the folder that receives `{baseline}/predictions.tsv`
            (`tsv.BASELINE_PREDICTIONS`).
        scores: receives the scores of the baselines (`schemas.BASELINES`).
        counts: receives their predictions counted by subject (`schemas.BASELINE_COUNTS`).
    """
    stated, every = read_split(gate, split, folds, examples)
    rows = tsv.read(split, tsv.SPLIT)
    names = sorted(set(rows["example"]))
    values = Examples(names, partial(arrays.load, examples, names), stated.input)
    parts = by_role(rows)
    found = {}
    predictions.mkdir(parents=True, exist_ok=True)
    for name in baselines:
        if registry.load("baseline", name).LOOKS_AT == "motion" and not motion_channels(
            stated.input.channels
        ):
            logging.info(
                "%s is left out: it looks at motion, and the input's channels are %s",
                name,
                ", ".join(stated.input.channels),
            )
            continue
        found[name] = predicted(name, every, parts, stated.classes, values)
        table = found[name][list(tsv.BASELINE_PREDICTIONS)]
        tsv.write(table, predictions / name / "predictions.tsv", tsv.BASELINE_PREDICTIONS)
    table = score_table(found, stated.classes, metrics)
    tsv.write(table, scores, schemas.BASELINES)
    tsv.write(count_table(found), counts, schemas.BASELINE_COUNTS)
    logging.info("baselines: %d, folds: %d", len(found), len(every))


def by_role(split: pd.DataFrame) -> Parts:
    """The rows of `tsv.SPLIT` of each fold and role."""
    grouped = split.groupby(["fold", "split"])
    return {(str(fold), str(role)): rows for (fold, role), rows in grouped}


def predicted(
    baseline: str,
    folds: Sequence[FoldSubsets],
    parts: Parts,
    classes: tuple[str, ...],
    examples: Examples,
) -> pd.DataFrame:
    """The predictions of a baseline: the test rows of the split with `repeat` and `predicted`.

    A fold that is for one repeat is predicted for that one; any other for the first, or, if the
    baseline draws at random, for repeats 1 to `DRAWN`. A seed follows from the repeat and the
    fold's name.

    Raises:
        UserError: the baseline predicts what is not a class.
    """
    module = registry.load("baseline", baseline)
    found = []
    for fold in folds:
        train, test = (parts[str(fold.fold), role] for role in ("train", "test"))
        unlabelled = test.drop(columns="label")
        repeats = range(1, DRAWN + 1 if module.DRAWS else 2)
        for repeat in repeats if fold.repeat is None else [fold.repeat]:
            seed = derived_seed(repeat, fold.name) % 2**32
            said = list(module.predict(FoldData(classes, train, unlabelled, examples, seed)))
            if unknown := set(said) - set(classes):
                raise UserError(f"the baseline {baseline} predicts {min(unknown)!r}, no class")
            found.append(test.assign(repeat=repeat, predicted=said))
    return pd.concat(found).sort_values("repeat", kind="stable", ignore_index=True)


def count_table(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The predictions of baselines, see `predicted`, counted (`schemas.BASELINE_COUNTS`)."""
    counted = [count_by_subject(own).assign(baseline=name) for name, own in predictions.items()]
    return pd.concat([pd.DataFrame(columns=list(schemas.BASELINE_COUNTS)), *counted])


def score_table(
    predictions: Mapping[str, pd.DataFrame], classes: Sequence[str], metrics: Sequence[str]
) -> pd.DataFrame:
    """The scores of baselines with their intervals (`schemas.BASELINES`).

    Args:
        predictions: of each baseline, see `predicted`.
        classes: the experiment's, sorted.
        metrics: the experiment's; those that the tables need are scored in any case.
    """
    names = [name for name in dict.fromkeys([*metrics, *ALWAYS_SCORED]) if name != "support"]
    rows = []
    for baseline, table in predictions.items():
        module = registry.load("baseline", baseline)
        about = {"baseline": baseline, "title": module.TITLE, "looks_at": module.LOOKS_AT}
        repeats = [own for _, own in table.groupby("repeat")]
        for row in scored(repeats, classes, people_of(repeats), names):
            if not row["group"].startswith("class/"):
                rows.append({**about, **row})
    return pd.DataFrame(rows, columns=list(schemas.BASELINES))
