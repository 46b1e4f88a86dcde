"""Runs that nobody trained: files as the split and training leave them, made by hand."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from fleeting import paths, registry, tsv
from fleeting.evaluation import run_baselines, schemas, summarise_runs
from fleeting.evaluation.baseline import Examples
from fleeting.evaluation.runs import Grid
from fleeting.evaluation.summary import Summary
from fleeting.splits import gate as gates
from fleeting.splits import labels
from fleeting.splits.folds import FoldSubsets, Subset

CLASSES = ("happiness", "others", "surprise")
#: Two test examples of each class.
LABELS = ("happiness", "happiness", "others", "others", "surprise", "surprise")
ONE_WRONG = ("surprise", *LABELS[1:])
ALL_HAPPY = ("happiness",) * 6
METRICS = ("accuracy", "uf1", "uar")
DATABASES = ("casme", "samm")
#: The values of the config that tables declare under SETTINGS.
SETTINGS = {
    "databases": {name: {"reader": name} for name in DATABASES},
    "label_map": labels.resolve(
        {"happiness": ["happiness"], "others": ["other"], "surprise": ["surprise"]},
        {name: {"reader": name} for name in DATABASES},
    ).model_dump(),
    "experiment.protocol": {
        "kind": "random_images",
        "images_per_class": 100,
        "validation": {"from": "train", "fraction": 0.2},
    },
    "experiment.recipe.weights": "imagenet",
    "experiment.recipe.optimiser": {"kind": "sgd"},
    "experiment.recipe.augmentations": [],
    "experiment.metrics": list(METRICS),
    "experiments.*.input": {"paper": "paper", "other": "flow"},
    "experiments.*.permute_labels": {"paper": None, "other": None},
    "experiments.*.protocol": {
        "paper": {"kind": "random_images"},
        "other": {"kind": "leave_one_out", "group": "subject"},
    },
    "input": {"kind": "image", "phases": list(tsv.PHASES)},
    "crop.size": 64,
    "crop.frames": {"kind": "phases", "neutral": False},
}


def experiment_folder(results: Path, experiment: str = "paper") -> Path:
    return results / "experiments" / experiment


def example_names(count: int, fold: int = 1) -> list[str]:
    """Names of onset images of as many clips."""
    return [f"casme/sub{fold:02d}/EP{number:02d}/1/onset" for number in range(count)]


def write_gate(
    folder: Path,
    classes: Sequence[str],
    shape: Sequence[int] = (64, 48, 3),
    folds: int = 1,
    apart: str | None = None,
) -> Path:
    """Write a split.json of RGB pictures."""
    arrays = gates.ArrayFormat(
        channels=("red", "green", "blue"), zero=0, unit=255, shape=tuple(shape), dtype="uint8"
    )
    digests = dict.fromkeys(("examples_sha256", "split_sha256", "folds_sha256"), "0" * 64)
    gate = gates.Gate(
        classes=tuple(classes), apart=apart, input=arrays, folds=folds, examples=9, **digests
    )
    gates.write(gate, folder / "split.json")
    return folder / "split.json"


def write_run(
    results: Path,
    predicted: Sequence[str],
    *,
    model: str = "resnet18",
    lr: str = "1e-05",
    repeat: int = 1,
    fold: int = 1,
    part: int = 1,
    validation: Sequence[float] = (0.2, 0.4),
    losses: Sequence[float | str] = (1.5, 1.0),
    uf1: Sequence[float] | None = None,
    tested: int | None = None,
    labels: Sequence[str] = LABELS,
    examples: Sequence[str] | None = None,
    experiment: str = "paper",
    failed: str | None = None,
) -> Path:
    """Write one fold of a run, beside the folds that its part has already. Returns its folder.

    The split.json that it names is written with it. One that `failed` has no predictions. Without
    `uf1`, the validation UF1 is the accuracy; without `tested`, the last epoch is tested.
    """
    folder = paths.run_folder(results, experiment, model, lr, repeat, part)
    gate = experiment_folder(results, experiment) / "split.json"
    if not gate.exists():
        write_gate(gate.parent, CLASSES)
    history = [
        dict(zip(tsv.HISTORY, (fold, epoch, loss, accuracy, loss, accuracy, f1), strict=True))
        for epoch, (loss, accuracy, f1) in enumerate(
            zip(losses, validation, uf1 or validation, strict=True), start=1
        )
    ]
    names = example_names(len(labels), fold) if examples is None else examples
    predictions = [
        {"fold": fold, "example": example, "label": label, "predicted": guess, "p_happiness": 1}
        for example, label, guess in zip(names, labels, predicted, strict=True)
    ]
    _put(history, folder / "history.tsv", tsv.HISTORY, fold)
    _put([] if failed else predictions, folder / "predictions.tsv", tsv.PREDICTIONS, fold)
    path = folder / "run.json"
    former = json.loads(path.read_text()) if path.exists() else {}
    metadata = {
        "device": "cpu",
        "failed": failed or former.get("failed"),
        "folds": sorted({*former.get("folds", []), fold}),
        "epochs": {**former.get("epochs", {}), str(fold): len(validation)},
        "tested_epoch": {**former.get("tested_epoch", {}), str(fold): tested or len(validation)},
        "weights_moved": {**former.get("weights_moved", {}), str(fold): 0.25},
        "split_sha256": paths.sha256(gate),
    }
    path.write_text(json.dumps(metadata))
    return folder


def _put(rows: list[dict[str, object]], path: Path, schema: tsv.Schema, fold: int) -> None:
    """Write a fold's rows in place of those that the table has of it."""
    others = tsv.read_rows(path, schema) if path.exists() else []
    kept = [row for row in others if row["fold"] != str(fold)]
    tsv.write_rows([*kept, *rows], path, schema)


def write_split(
    results: Path, experiment: str = "paper", repeats: Mapping[int, int] | None = None
) -> Path:
    """Write split.tsv, folds.tsv and unused.tsv: the tests are what the runs predicted.

    Args:
        results: the results folder.
        experiment: its name.
        repeats: the repeat that a fold is for, where it is for one.
    """
    folder = experiment_folder(results, experiment)
    labels = {
        (int(row["fold"]), row["example"]): row["label"]
        for path in sorted((folder / "runs").rglob("predictions.tsv"))
        for row in tsv.read_rows(path, tsv.PREDICTIONS)
    }
    rows = []
    for (fold, example), label in labels.items():
        sample, _, phase = example.rpartition("/")
        database, subject, clip = sample.split("/")[:3]
        facts = [sample, database, subject, phase, label, fold]
        names = [f"{database}/{subject}", f"{database}/{subject}/{clip}"]
        rows += [
            [example, *facts, "test", *names],
            [f"{sample}x/{phase}", *facts, "train", *names],
        ]
    tsv.write(pd.DataFrame(rows, columns=list(tsv.SPLIT)), folder / "split.tsv", tsv.SPLIT)
    folds = [
        {"fold": fold, "name": str(fold), "repeat": (repeats or {}).get(fold, ""), "lacks": ""}
        for fold in sorted({fold for fold, _ in labels})
    ]
    tsv.write_rows(folds, folder / "folds.tsv", tsv.FOLDS)
    tsv.write_rows([], folder / "unused.tsv", tsv.UNUSED)
    return folder


def summarise(
    results: Path,
    models: Sequence[str] = ("resnet18",),
    lrs: Sequence[str] = ("1e-05",),
    repeats: int = 1,
    *,
    parts: int = 1,
    metrics: Sequence[str] = METRICS,
    experiment: str = "paper",
    allow_missing: bool = False,
    trace: bool = False,
) -> Summary:
    """Summarise fabricated runs; without a split, one of what they predicted is written."""
    folder = experiment_folder(results, experiment)
    if not (folder / "split.tsv").exists():
        write_split(results, experiment)
    names = ("runs", "curves", "confusions", "choices", "nested", "intervals", "subject_counts")
    names += ("best_of_runs", "best_epochs")
    written = {name: folder / "evaluation" / f"{name}.tsv" for name in names}
    written["scores"] = folder / "scores.tsv"
    summarise_runs.run(
        results=results,
        experiment=experiment,
        grid=Grid(models=list(models), lrs=list(lrs), repeats=repeats),
        parts=parts,
        metrics=list(metrics),
        allow_missing=allow_missing,
        trace=trace,
        gate=folder / "split.json",
        split=folder / "split.tsv",
        folds=folder / "folds.tsv",
        **written,
    )
    write_baselines(folder)
    written["counts"] = written["subject_counts"]
    for name in ("baselines", "baseline_counts"):
        written[name] = folder / "evaluation" / f"{name}.tsv"
    return Summary({name: [path] for name, path in written.items()})


def write_baselines(folder: Path, names: Sequence[str] = ("majority", "database_only")) -> None:
    """Write the scores and counts of baselines without pictures on an experiment's split."""
    gate = gates.read(folder / "split.json")
    parts = run_baselines.by_role(tsv.read(folder / "split.tsv", tsv.SPLIT))
    nobody = Subset(), Subset(), Subset()
    folds = [
        FoldSubsets(int(row["fold"]), row["name"], int(row["repeat"] or 0) or None, *nobody)
        for row in tsv.read_rows(folder / "folds.tsv", tsv.FOLDS)
    ]
    nothing = Examples([], list, gate.input)
    found = {
        name: run_baselines.predicted(name, folds, parts, gate.classes, nothing) for name in names
    }
    scores = run_baselines.score_table(found, gate.classes, METRICS)
    tsv.write(scores, folder / "evaluation" / "baselines.tsv", schemas.BASELINES)
    counts = run_baselines.count_table(found)
    tsv.write(counts, folder / "evaluation" / "baseline_counts.tsv", schemas.BASELINE_COUNTS)


def declared(
    kind: str, name: str, results: Path, experiments: Sequence[str] = ("paper",)
) -> dict[str, list[Path]]:
    """The files that a table or figure reads, for one crop and input called `paper`."""
    places = {"selection": "phases", "crop": "paper", "input": "paper"}
    found: dict[str, list[Path]] = {}
    for key, path in registry.constants(kind, name)["READS"].items():
        databases = DATABASES if "{database}" in path else ("",)
        repeated = experiments if "{experiment}" in path else ("",)
        found[key] = [
            results / path.format(database=database, experiment=experiment, **places)
            for experiment, database in product(repeated, databases)
        ]
    return found


def make_table(
    name: str,
    results: Path,
    settings: Mapping[str, object] = SETTINGS,
    experiments: Sequence[str] = ("paper",),
) -> tuple:
    """A table's frame and page."""
    files = declared("table", name, results, experiments)
    return registry.load("table", name).make(files, settings)
