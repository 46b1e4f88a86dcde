"""Contradictions between values, which the models of single blocks cannot see."""

import os
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from fleeting import registry
from fleeting.layout import Config
from fleeting.settings import suggestion, variant
from fleeting.splits import labels
from fleeting.training.network_names import network_names
from fleeting.tsv import PHASES

#: Names of folders below `weights/` that no experiment may take.
RESERVED = ("imagenet", "detectors")
#: The project's own folders, which must not hold results: old results are removed.
OWN_FOLDERS = (".git", ".snakemake", ".venv", "tests", "workflow")


def contradictions(config: Config) -> Iterator[str]:
    """Every contradiction in a config whose single values are valid, a line each."""
    yield from _wrong_places(config)
    yield from _wrong_synthetic(config)
    for name, block in config["inputs"].items():
        yield from _unknown(f"inputs.{name}.crop", "crop", block.get("crop"), config["crops"])
        if block.get("crop") in config["crops"]:
            yield from _wrong_motion(name, block, config["crops"][block["crop"]])
            yield from _wrong_frames(name, block, config["crops"][block["crop"]]["frames"])
            yield from _wrong_apex(name, block, config)
            yield from _wrong_unit(name, block, config)
    for name, crop in config["crops"].items():
        yield from _wrong_alignment(name, crop, config["databases"])
    for model in config["models"]:
        if model in network_names():
            yield f"models.{model}: there is a network of this name already; choose another"
    for name, experiment in config["experiments"].items():
        place = f"experiments.{name}"
        if name in RESERVED:
            yield f"{place}: this name is reserved for a folder of weights; choose another"
        yield from _unknown(f"{place}.input", "input", experiment["input"], config["inputs"])
        models, metrics = experiment["grid"]["models"], experiment["metrics"]
        for model in models:
            known = [*network_names(), *config["models"]]
            yield from _unknown(f"{place}.grid.models", "model", model, known)
            scratch = [*registry.names("network"), *config["models"]]
            if experiment["recipe"]["weights"] == "imagenet" and model in scratch:
                yield (
                    f"{place}.recipe.weights: there are no ImageNet weights of {model}; set "
                    "`weights: none`, or name a network of torchvision"
                )
        if experiment["trace"] and experiment["recipe"]["early_stopping"]:
            yield (
                f"{place}.trace: it compares epochs over all folds, and recipe.early_stopping ends "
                "some of them before others; set one of the two to its default"
            )
        for metric in metrics:
            yield from _unknown(f"{place}.metrics", "metric", metric, registry.names("metric"))
        for baseline in experiment["baselines"]:
            known = registry.names("baseline")
            yield from _unknown(f"{place}.baselines", "baseline", baseline, known)
        yield from _equal_rates(f"{place}.grid.lrs", experiment["grid"]["lrs"])
        yield from _wrong_label_map(
            f"{place}.label_map", experiment["label_map"], config["databases"]
        )
        yield from _wrong_match(name, config["experiments"])
        excluded = [("exclude_subjects", subject) for subject in experiment["exclude_subjects"]]
        people = experiment["same_person"]
        merged = [("same_person", subject) for group in people for subject in group]
        for key, subject in [*excluded, *merged]:
            if subject.split("/")[0] not in config["databases"]:
                yield (
                    f"{place}.{key}: {subject!r} is of a database that is not listed under "
                    "`databases`; list it, or remove the subject"
                )
        yield from _half_excluded(f"{place}.exclude_subjects", experiment)


def _unknown(place: str, kind: str, name: str, known: Any) -> Iterator[str]:
    if name not in known:
        yield f"{place}: no {kind} is called {name!r}{suggestion(name, list(known))}"


def _wrong_motion(name: str, block: Config, crop: Config) -> Iterator[str]:
    """An input that compares crops of one box, of crops that have several, or are too small."""
    if not getattr(registry.load("input", block["kind"]), "ONE_BOX", False):
        return
    if _follows_the_face(crop):
        yield (
            f"inputs.{name}.crop: with `box: frame` the box follows the face, and the motion in "
            f"it is the detector's as well; set `box: clip` in crops.{block['crop']}"
        )
    if (side := crop["size"]) and (size := block.get("size")) and size > side:
        yield f"inputs.{name}.size: {size} is more than the {side} pixels of the crop; set fewer"


def _wrong_frames(name: str, block: Config, frames: Config) -> Iterator[str]:
    """An input of crops of other frames than those that it is made of."""
    module, settings = variant("input", block)
    needed = module.frames(settings) if hasattr(module, "frames") else {}
    if any(frames.get(key) != value for key, value in needed.items()):
        written = ", ".join(f"{key}: {value}" for key, value in needed.items())
        yield (
            f"inputs.{name}.crop: the input {block['kind']} is made of `frames: {{{written}}}`; "
            f"set it in crops.{block['crop']}, or in a block of its own"
        )
        return
    selected = getattr(registry.load("selection", frames["kind"]), "PHASES", PHASES)
    lacking = [phase for phase in getattr(module, "BETWEEN", ()) if phase not in selected]
    if lacking and not block.get("apex"):
        yield (
            f"inputs.{name}.crop: the input {block['kind']} needs the {lacking[0]}, which "
            f"`frames: {frames['kind']}` does not select; set `frames: phases` in "
            f"crops.{block['crop']}, or in a block of its own"
        )


def _wrong_alignment(name: str, crop: Config, databases: Config) -> Iterator[str]:
    """Crops that are aligned, and have a box each."""
    if crop["align"] == "none" or crop["box"] == "clip" or crop["detector"]["kind"] == "none":
        return
    kept = crop["provider_crops"] == "keep"
    if not all(kept and database["source"] == "cropped" for database in databases.values()):
        yield (
            f"crops.{name}.align: frames are aligned inside one box, and with `box: frame` each "
            f"has its own; set `box: clip` in crops.{name}"
        )


def _wrong_apex(name: str, block: Config, config: Config) -> Iterator[str]:
    """A search for the apex in crops that do not have the frames of the clip, or not one box."""
    search, crop = block.get("apex"), config["crops"][block["crop"]]
    if search is None:
        return
    place, selection = f"inputs.{name}.apex", crop["frames"]["kind"]
    if not getattr(registry.load("selection", selection), "BETWEEN_PHASES", False):
        yield (
            f"{place}: the apex is searched for in the frames between onset and offset, and "
            f"{selection} has none of them; set `frames: clip` in crops.{block['crop']}"
        )
    one_box = getattr(registry.load("apex", search["kind"]), "ONE_BOX", False)
    if one_box and _follows_the_face(crop):
        yield (
            f"{place}: {search['kind']} compares frames, and with `box: frame` the box moves from "
            f"one to the next; set `box: clip` in crops.{block['crop']}"
        )
    if config["annotations"]["apex"] == "midpoint":
        yield (
            f"{place}: with `annotations: {{apex: midpoint}}` no clip lacks an apex, and the "
            "middle would pass for a stated one; set `drop` there"
        )


def _wrong_unit(name: str, block: Config, config: Config) -> Iterator[str]:
    """A motion in distances of the eyes, of crops in which these are not looked for."""
    if block.get("measured_in") != "eye_distances":
        return
    crop, place = config["crops"][block["crop"]], f"inputs.{name}.measured_in"
    if not getattr(registry.load("detector", crop["detector"]["kind"]), "FINDS_EYES", False):
        yield (
            f"{place}: the detector {crop['detector']['kind']} does not find the eyes; set "
            f"`detector: blazeface` in crops.{block['crop']}, or `measured_in: pixels`"
        )
    elif crop["provider_crops"] == "keep":
        for database, settings in config["databases"].items():
            if settings["source"] == "cropped":
                yield (
                    f"{place}: the eyes are not looked for in crops of the provider of {database}; "
                    f"set `provider_crops: detect` in crops.{block['crop']}"
                )


def _follows_the_face(crop: Config) -> bool:
    """Whether a crop has a box of its own for each frame."""
    return bool(crop["box"] == "frame" and crop["detector"]["kind"] != "none")


def _half_excluded(place: str, experiment: Config) -> Iterator[str]:
    """People of whom one subject is excluded, and another is not."""
    for group in experiment["same_person"]:
        excluded = [subject for subject in group if subject in experiment["exclude_subjects"]]
        if excluded and len(excluded) < len(group):
            yield (
                f"{place}: {', '.join(group)} are one person by same_person, and only "
                f"{', '.join(excluded)} excluded; list all of them here, or none"
            )


def _wrong_match(name: str, experiments: Config) -> Iterator[str]:
    """An experiment whose folds are matched to those of one with other examples."""
    experiment = experiments[name]
    if experiment["protocol"]["kind"] != "matched":
        return
    place, to = f"experiments.{name}.protocol.to", experiment["protocol"]["to"]
    others = [other for other in experiments if other != name]
    yield from _unknown(place, "other experiment", to, others)
    if to not in others:
        return
    if experiments[to]["protocol"]["kind"] == "matched":
        yield f"{place}: {to!r} is matched itself; name the experiment that it is matched to"
    for key in ("input", "label_map", "exclude_subjects", "same_person", "permute_labels"):
        if experiment[key] != experiments[to][key]:
            yield (
                f"{place}: {key} differs from that of {to!r}, so that they cannot be compared; "
                f"write `based_on: {to}` and leave {key} out"
            )


def _wrong_synthetic(config: Config) -> Iterator[str]:
    if "synthetic" not in config:
        if config["show_faces"] == "synthetic":
            yield "show_faces: `synthetic` needs synthetic databases (a `synthetic` block)"
        return
    drawn = registry.names("synthetic")
    for name, database in config["databases"].items():
        if name not in drawn or database["reader"] != name:
            yield (
                f"databases.{name}: synthetic databases are {', '.join(drawn)}, each with the "
                "reader of its name; rename or remove this one"
            )
        if database.get("table") is None or database.get("frames") is None:
            yield f"databases.{name}: a synthetic database needs `table` and `frames`"
        if name not in config["synthetic"]["subjects"]:
            yield f"synthetic.subjects: give the number of subjects of {name}"


def _wrong_places(config: Config) -> Iterator[str]:
    """Folders that contain each other, and results that would mix with other files."""
    results, synthetic = config["results"], "synthetic" in config
    if os.path.normpath(results).split("/")[-1] in ("", ".", ".."):
        yield (f"results: {results!r}: name a folder that is for the results alone")
    for folder in filter(partial(_lies_in, results), OWN_FOLDERS):
        yield f"results: {results!r} lies in {folder}, which is the project's; name another folder"
    for above in (Path(results), *Path(results).parents):
        if above.exists() and not above.is_dir():
            yield f"results: {results!r}: {str(above)!r} is a file; name a folder"
    folders: dict[str, str] = {}
    for name, database in config["databases"].items():
        places = {key: database[key] for key in ("root", "table", "frames") if database.get(key)}
        for key, place in places.items():
            own = _lies_in(place, f"{results}/databases")
            if synthetic and not own:
                yield (
                    f"databases.{name}.{key}: a synthetic database replaces what is there, so it "
                    f"must lie in {results}/databases, and {place!r} does not"
                )
            elif _lies_in(place, results) and not own:
                yield (
                    f"databases.{name}.{key}: {place!r} lies in the results folder, where files "
                    "are removed; move one of them"
                )
            elif key != "table" and _lies_in(results, place):
                yield (
                    f"databases.{name}.{key}: {place!r} contains the results folder, whose crops "
                    "would be searched for frames; move one of them"
                )
            if key != "table":
                folders[f"databases.{name}.{key}"] = place
    for (one, place), (other, second) in combinations(folders.items(), 2):
        if _lies_in(place, second) or _lies_in(second, place):
            yield (
                f"{one} and {other}: {place!r} and {second!r} overlap, and frames of one database "
                "would be taken for the other's; give each a separate folder"
            )


def _lies_in(place: str, folder: str) -> bool:
    inner, outer = (os.path.normpath(Path.cwd() / path) for path in (place, folder))
    return Path(inner).is_relative_to(outer)


def _equal_rates(place: str, rates: list[str]) -> Iterator[str]:
    first: dict[Decimal, str] = {}
    for rate in rates:
        if (same := first.setdefault(Decimal(rate), rate)) != rate:
            yield f"{place}: {same!r} and {rate!r} are the same rate; keep one"


def _wrong_label_map(
    place: str, label_map: str | labels.Classes, databases: Config
) -> Iterator[str]:
    if isinstance(label_map, str):
        if not labels.resolve(label_map, databases).databases:
            known = ", ".join(registry.constants("label_map", label_map)["CLASSES"])
            yield f"{place}: {label_map} is about {known}; none of them is listed under `databases`"
        return
    owner: dict[str, str] = {}
    for label, emotions in label_map.items():
        for emotion in emotions:
            if emotion != emotion.strip().casefold():
                yield f"{place}.{label}: write {emotion!r} in lower case, as tables are read"
            if (other := owner.setdefault(emotion, label)) != label:
                yield f"{place}: {emotion!r} belongs to both {other!r} and {label!r}; keep one"
