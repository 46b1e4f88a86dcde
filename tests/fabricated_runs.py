"""Runs that nobody trained: files as the split and training leave them, made by hand."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from fleeting import paths, registry, tsv
from fleeting.evaluation import summary, write_table
from fleeting.evaluation.results import Summary

CLASSES = ("happiness", "others", "surprise")
#: Two test examples of each class.
LABELS = ("happiness", "happiness", "others", "others", "surprise", "surprise")
METRICS = ("accuracy", "uf1", "uar")
DATABASES = ("casme", "samm")
#: The values of the config that tables declare under SETTINGS.
SETTINGS = {
    "databases": {name: {"reader": name} for name in DATABASES},
    "experiment.label_map": {
        "happiness": ["happiness"],
        "others": ["other"],
        "surprise": ["surprise"],
    },
    "experiment.protocol": {
        "kind": "random_images",
        "images_per_class": 100,
        "validation": {"from": "train", "fraction": 0.2},
    },
    "experiment.metrics": list(METRICS),
    "input": {"kind": "image", "phases": list(tsv.PHASES)},
    "crop.size": 64,
    "crop.frames": {"kind": "phases"},
}


def experiment_folder(results: Path, experiment: str = "paper") -> Path:
    return results / "experiments" / experiment


def example_names(count: int, fold: int = 1, database: str = "casme") -> list[str]:
    """Names of onset images of as many clips."""
    return [f"{database}/sub{fold:02d}/EP{number:02d}/1/onset" for number in range(count)]


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
    labels: Sequence[str] = LABELS,
    examples: Sequence[str] | None = None,
    classes: Sequence[str] = CLASSES,
    experiment: str = "paper",
    failed: str | None = None,
) -> Path:
    """Write one fold of a run, beside the folds that its part has already. Returns its folder.

    The split.json that it names is written with it. One that `failed` has no predictions.
    """
    folder = paths.run_folder(results, experiment, model, lr, repeat, part)
    gate = experiment_folder(results, experiment) / "split.json"
    if not gate.exists():
        gate.parent.mkdir(parents=True, exist_ok=True)
        gate.write_text(json.dumps({"classes": list(classes)}), encoding="utf-8")
    history = [
        {
            "fold": fold,
            "epoch": epoch,
            "train_loss": loss,
            "train_accuracy": accuracy,
            "validation_loss": loss,
            "validation_accuracy": accuracy,
        }
        for epoch, (loss, accuracy) in enumerate(zip(losses, validation, strict=True), start=1)
    ]
    _put(history, folder / "history.tsv", tsv.HISTORY, fold)
    share = {f"p_{label}": 1 / len(classes) for label in classes}
    names = example_names(len(labels), fold) if examples is None else examples
    predictions = [
        {"fold": fold, "example": example, "label": label, "predicted": guess, **share}
        for example, label, guess in zip(names, labels, predicted, strict=True)
    ]
    _put([] if failed else predictions, folder / "predictions.tsv", tsv.PREDICTIONS, fold)
    path = folder / "run.json"
    info = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    info = {
        "classes": list(classes),
        "device": "cpu",
        "failed": failed or info.get("failed"),
        "folds": sorted({*info.get("folds", []), fold}),
        "tested_epoch": {**info.get("tested_epoch", {}), str(fold): len(validation)},
        "split_sha256": paths.sha256(gate),
    }
    path.write_text(json.dumps(info), encoding="utf-8")
    return folder


def _put(rows: list[dict[str, object]], path: Path, schema: tsv.Schema, fold: int) -> None:
    """Write a fold's rows in place of those that the table has of it."""
    others = tsv.read_rows(path, schema) if path.exists() else []
    kept = [row for row in others if row["fold"] != str(fold)]
    tsv.write_rows([*kept, *rows], path, schema)


def write_split(
    results: Path,
    experiment: str = "paper",
    tests: Mapping[int, Mapping[str, str]] | None = None,
    repeats: Mapping[int, int] | None = None,
) -> Path:
    """Write split.tsv, folds.tsv and unused.tsv; the split.json is that of the runs.

    Args:
        results: the results folder.
        experiment: its name.
        tests: the label of each test example by fold; those that the runs predicted if not given.
        repeats: the repeat that a fold is for, where it is for one.
    """
    folder = experiment_folder(results, experiment)
    if tests is None:
        found: dict[int, dict[str, str]] = {}
        for path in sorted((folder / "runs").rglob("predictions.tsv")):
            for row in tsv.read_rows(path, tsv.PREDICTIONS):
                found.setdefault(int(row["fold"]), {})[row["example"]] = row["label"]
        tests = found
    rows = []
    for fold, labels in sorted(tests.items()):
        for example, label in labels.items():
            sample, _, phase = example.rpartition("/")
            database, subject = sample.split("/")[:2]
            common = [sample, database, subject, phase, label, fold]
            rows += [[example, *common, "test"], [f"{sample}x/{phase}", *common, "train"]]
    keyed = [dict(zip(tsv.SPLIT, row, strict=True)) for row in rows]
    tsv.write_rows(keyed, folder / "split.tsv", tsv.SPLIT)
    folds = [
        {"fold": fold, "name": str(fold), "repeat": (repeats or {}).get(fold, ""), "lacks": ""}
        for fold in sorted(tests)
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
) -> Summary:
    """Summarise fabricated runs; without a split, one of what they predicted is written."""
    folder = experiment_folder(results, experiment)
    if not (folder / "split.tsv").exists():
        write_split(results, experiment)
    evaluation = folder / "evaluation"
    summary.run(
        results=results,
        experiment=experiment,
        grid={"models": list(models), "lrs": list(lrs), "repeats": repeats},
        parts=parts,
        metrics=list(metrics),
        allow_missing=allow_missing,
        gate=folder / "split.json",
        split=folder / "split.tsv",
        folds=folder / "folds.tsv",
        scores=folder / "scores.tsv",
        **{
            name: evaluation / f"{name}.tsv" for name in ("runs", "curves", "confusions", "choices")
        },
    )
    return Summary(evaluation / "runs.tsv", folder / "scores.tsv", evaluation / "choices.tsv")


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


def make_table(name: str, results: Path, settings: Mapping[str, object] = SETTINGS) -> tuple:
    """A table's frame, schema and page."""
    return registry.load("table", name).make(declared("table", name, results), settings)


def write_table_job(
    name: str,
    results: Path,
    output: Path,
    settings: Mapping[str, object] = SETTINGS,
    experiments: Sequence[str] = ("paper",),
) -> None:
    """Write a table as its rule does."""
    files = declared("table", name, results, experiments)
    items = [f"{key}={path}" for key, paths_ in files.items() for path in paths_]
    write_table.run(table=name, files=items, settings=dict(settings), output=output)
