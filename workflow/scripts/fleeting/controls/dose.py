"""Dose and response: the UAR of every experiment at every dose, and the threshold of each."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from fleeting import tsv
from fleeting.config.loading import load
from fleeting.controls.projects import Project
from fleeting.controls.psychometric import Array, Curve, Threshold, fit, threshold
from fleeting.evaluation.intervals import Bootstrap, draw, ends
from fleeting.evaluation.metrics import uar
from fleeting.evaluation.paired import counts_of, subjects_of
from fleeting.synthetic.database import TRUTH

#: One row per experiment, configuration and dose. `intensity` is the share of the full expression,
#: `dose` the mean over the tested clips of the expression's displacement at the apex (the 95th
#: percentile over the points of a face's features, in pixels of the frame).
RESPONSES: tsv.Schema = {
    "experiment": tsv.NAME,
    "input": tsv.NAME,
    "protocol": tsv.NAME,
    "model": tsv.NAME,
    "lr": tsv.NAME,
    "intensity": tsv.NUMBER,
    "dose": tsv.NUMBER,
    "uar": tsv.NUMBER,
    "interval_low": tsv.NUMBER,
    "interval_high": tsv.NUMBER,
    "interval": tsv.NAME,
    "subjects": tsv.INTEGER,
    "fitted": tsv.NUMBER,
}
#: One row per experiment and configuration; see `psychometric`. `outside` is `below` or `above`
#: where the threshold is outside the doses.
THRESHOLDS: tsv.Schema = {
    "experiment": tsv.NAME,
    "input": tsv.NAME,
    "protocol": tsv.NAME,
    "model": tsv.NAME,
    "lr": tsv.NAME,
    "classes": tsv.INTEGER,
    "threshold": tsv.NUMBER,
    "interval_low": tsv.NUMBER,
    "interval_high": tsv.NUMBER,
    "outside": tsv.TEXT,
    "slope": tsv.NUMBER,
    "intercept": tsv.NUMBER,
    "lapse": tsv.NUMBER,
}
#: How many of the resamples a curve is fitted to.
FITTED = 500


@dataclass(frozen=True)
class Learner:
    """What is trained and tested at every dose: one configuration of an experiment."""

    experiment: str
    input: str
    protocol: str
    model: str
    lr: str


@dataclass(frozen=True)
class Response:
    """What a learner answers to all doses, the smallest first.

    Attributes:
        learner: whose answers these are.
        intensities: the share of the full expression at each dose (D).
        doses: in pixels (D).
        scores: UAR (D).
        low: the lower ends of the intervals (D).
        high: the upper ends (D).
        kind: of the intervals.
        subjects: how many there are.
        curve: the fitted one.
        threshold: of the curve.
    """

    learner: Learner
    intensities: Array
    doses: Array
    scores: Array
    low: Array
    high: Array
    kind: str
    subjects: int
    curve: Curve
    threshold: Threshold


def responses(projects: Mapping[float, Project]) -> list[Response]:
    """The answers of every configuration of every experiment.

    Args:
        projects: finished projects that differ in the intensity at the apex alone, by it. They have
            the same subjects, and a resample has the same of them at all doses.
    """
    found = []
    intensities = sorted(projects)
    experiments = load(projects[intensities[0]].config)["experiments"]
    for name, block in experiments.items():
        tables = [projects[intensity].counts(name) for intensity in intensities]
        doses = np.array([mean_displacement(projects[one], name) for one in intensities])
        for model, lr in dict.fromkeys(zip(tables[0]["model"], tables[0]["lr"], strict=True)):
            own = [table[(table["model"] == model) & (table["lr"] == lr)] for table in tables]
            learner = Learner(name, block["input"], block["protocol"]["kind"], model, lr)
            found.append(_response(learner, np.array(intensities), doses, own))
    return found


def mean_displacement(project: Project, experiment: str) -> float:
    """The dose of an experiment: see `RESPONSES`."""
    split = project.split(experiment)
    tested = set(split.loc[split["split"] == "test", "sample"])
    tables = [
        tsv.read(project.results / f"databases/{name}.tsv", TRUTH)
        for name in project.config["databases"]
    ]
    truth = pd.concat(tables)
    # Without the rows that have an oddity, whose sample can be that of a sound row.
    own = truth[truth["sample"].isin(tested) & (truth["quirk"] == "")]
    return float(own["apex_displacement"].astype(float).mean())


def _response(
    learner: Learner, intensities: Array, doses: Array, tables: list[pd.DataFrame]
) -> Response:
    first = tables[0]
    subjects = subjects_of(first)
    classes = sorted(set(first["label"]))
    every = range(len(classes))
    scores, low, high, resampled = [], [], [], []
    for table in tables:
        counts = counts_of(table, subjects, classes)
        # The seed of the draw is fixed: the same subjects at all doses.
        bootstrap = Bootstrap(counts, draw([one for one, _ in subjects], len(counts)))
        values = bootstrap.values(uar.score, every)
        kind = bootstrap.kind(every)
        bounds = ends(values, kind)
        scores.append(bootstrap.mean(uar.score, every))
        low.append(bounds[0])
        high.append(bounds[1])
        resampled.append(values[:FITTED])
    reached = np.array(scores)
    return Response(
        learner=learner,
        intensities=intensities,
        doses=doses,
        scores=reached,
        low=np.array(low),
        high=np.array(high),
        kind=kind,
        subjects=len(subjects),
        curve=fit(doses, reached, len(classes)),
        threshold=threshold(doses, reached, np.stack(resampled, axis=1), len(classes)),
    )


def response_table(found: list[Response]) -> pd.DataFrame:
    """All doses of all configurations, with the columns of `RESPONSES`."""
    rows = []
    for one in found:
        fitted = one.curve.score(one.doses)
        for place, intensity in enumerate(one.intensities):
            rows.append(
                {
                    **asdict(one.learner),
                    "intensity": intensity,
                    "dose": one.doses[place],
                    "uar": one.scores[place],
                    "interval_low": one.low[place],
                    "interval_high": one.high[place],
                    "interval": one.kind,
                    "subjects": one.subjects,
                    "fitted": fitted[place],
                }
            )
    return pd.DataFrame(rows, columns=list(RESPONSES))


def threshold_table(found: list[Response]) -> pd.DataFrame:
    """The thresholds, with the columns of `THRESHOLDS`."""
    rows = [
        {
            **asdict(one.learner),
            "classes": one.curve.classes,
            "threshold": one.threshold.value,
            "interval_low": one.threshold.low,
            "interval_high": one.threshold.high,
            "outside": one.threshold.outside,
            "slope": one.curve.slope,
            "intercept": one.curve.intercept,
            "lapse": one.curve.lapse,
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=list(THRESHOLDS))
