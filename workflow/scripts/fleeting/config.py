"""The config as the workflow reads it: checked, completed with the paper's values, resolved."""

import difflib
import json
import math
import os
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from fleeting import registry
from fleeting.errors import UserError

Config = dict[str, Any]

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"
#: Blocks of an experiment that `based_on` merges key by key; other values replace the parent's.
MERGED = ("split", "recipe", "grid")
#: The experiment whose values are the schema's defaults, so that every file may build on it.
PAPER = "paper"
#: The keys that only one detector has.
DETECTOR_KEYS = {
    "ssd_mobilenet_v1": ("equalise",),
    "opencv_ssd": ("network", "input_size", "mean", "scale", "swap_rb"),
}
#: Names of folders below `weights/` that no experiment may take.
RESERVED = ("imagenet", "detectors")
#: Folders of the project itself: results are written, and old ones removed, elsewhere.
OWN_FOLDERS = (".git", ".snakemake", ".venv", "tests", "workflow")
#: More values than any config holds, and deeper ones; with anchors a short file can stand for both.
MOST_VALUES, DEEPEST = 100_000, 20
#: In bytes, what Linux and macOS take for a path in the config and for each name in it.
LONGEST_PATH, LONGEST_NAME = 900, 255
#: Of a longer line a message shows the beginning and the end.
LONGEST_LINE = 300


def complete(config: Config) -> Config:
    """Check a config as read from a file and fill in what it leaves out.

    Returns a new config in which every experiment is whole (`based_on` resolved and removed).
    Raises one `UserError` that lists every wrong key with its place, value and remedy.
    """
    _check_extent(config)
    config = _plain(deepcopy(config))
    if isinstance(config, dict) and isinstance(config.get("experiments"), dict):
        blocks = config["experiments"]
        config["experiments"] = {name: _resolved(name, blocks) for name in blocks}
    schema = _schema()
    validator = _filling_validator()(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    wrong = [_message(error) for error in errors] or list(_contradictions(config))
    if wrong:
        shown = [
            f"  {line}" if len(line) <= LONGEST_LINE else f"  {line[:150]} ... {line[-150:]}"
            for line in wrong
        ]
        raise UserError("the config cannot be used:\n" + "\n".join(shown))
    order = schema["properties"]["databases"]["properties"]
    listed = config["databases"]
    config["databases"] = {name: listed[name] for name in order if name in listed}
    config["results"] = config["results"].rstrip("/")
    return config


@cache
def _schema() -> Any:
    return yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))


def check_keys(path: Path) -> None:
    """Refuse a config file in which a block has a key twice: only the last one would count."""
    text = path.read_text(encoding="utf-8")
    try:
        # Snakemake, too, takes a file for JSON before it takes it for YAML.
        json.loads(
            text, object_pairs_hook=lambda pairs: _check_once([key for key, _ in pairs], path)
        )
        return
    except json.JSONDecodeError:
        waiting, seen = [yaml.compose(text, yaml.SafeLoader)], set()
    while waiting:
        node = waiting.pop()
        # What an anchor names is there once and looked at once.
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            place = f"{path}, line {node.start_mark.line + 1} and below"
            _check_once([str(key.value) for key, _ in node.value], place)
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _check_once(keys: list[str], place: object) -> None:
    for key, count in Counter(keys).items():
        if count > 1:
            raise UserError(f"{place}: the key {key!r} stands {count} times in one block; keep one")


def _check_extent(config: Any) -> None:
    waiting, count = [(config, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if count > MOST_VALUES or depth > DEEPEST:
            raise UserError(
                f"the config holds more than {MOST_VALUES} values, or some more than {DEEPEST} "
                "levels deep (what an anchor stands for counts wherever it is used); shorten it"
            )
        inside = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list | tuple):
            waiting += [(item, depth + 1) for item in inside]


def _plain(value: Any) -> Any:
    """Whole numbers as integers: 2.0 means 2 and must not look like a change of it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _resolved(name: str, experiments: dict[str, Any]) -> Any:
    """An experiment with `based_on` replaced by the values of the experiment that it names."""
    chain = [name]
    while isinstance(own := _own(chain[-1], experiments), dict) and "based_on" in own:
        place, parent = f"experiments.{chain[-1]}.based_on", str(own["based_on"])
        if parent in chain:
            raise UserError(f"{place}: {' -> '.join((*chain, parent))} goes in a circle")
        if parent not in experiments and parent != PAPER:
            raise UserError(f"{place}: there is no experiment {parent!r} to build on")
        if len(chain) > DEEPEST:
            raise UserError(f"{place}: {name} builds on more than {DEEPEST} others; write it out")
        chain.append(parent)
    merged: Any = own
    for child in reversed(chain[:-1]):
        # What is no block is left to the schema, which names it.
        if not isinstance(merged, dict):
            break
        own, above = _own(child, experiments), merged
        merged = {**above, **{key: value for key, value in own.items() if key != "based_on"}}
        for block in MERGED:
            if isinstance(above.get(block), dict) and isinstance(own.get(block), dict):
                merged[block] = {**above[block], **own[block]}
    return merged


def _own(name: str, experiments: dict[str, Any]) -> Any:
    own = experiments.get(name)
    return {} if own is None else own


def _filling_validator() -> Any:
    """A validator that fills in a schema's defaults before it looks at the properties.

    To it, not-a-number and infinity are no numbers.
    """
    plain = jsonschema.Draft202012Validator
    types = plain.TYPE_CHECKER.redefine(
        "number",
        lambda checker, value: plain.TYPE_CHECKER.is_type(value, "number") and math.isfinite(value),
    )
    check_properties = plain.VALIDATORS["properties"]

    def fill_and_check(
        validator: Any, properties: Any, instance: Any, schema: Any
    ) -> Iterator[jsonschema.ValidationError]:
        if isinstance(instance, dict):
            for key, rule in properties.items():
                target = validator._resolver.lookup(rule["$ref"]).contents if "$ref" in rule else {}
                default = {**target, **rule}.get("default", ...)
                if default is not ...:
                    instance.setdefault(key, deepcopy(default))
        yield from check_properties(validator, properties, instance, schema)

    return jsonschema.validators.extend(plain, {"properties": fill_and_check}, type_checker=types)


def _message(error: jsonschema.ValidationError) -> str:
    place = ".".join(map(str, error.absolute_path)) or "the config"
    if isinstance(error.instance, float) and not math.isfinite(error.instance):
        return f"{place}: {error.instance} is not a number that can be used"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))  # type: ignore[union-attr]
        unknown = [key for key in error.instance if key not in known]
        hints = [
            f"{key!r}" + "".join(f" (do you mean {near!r}?)" for near in _near(str(key), known))
            for key in unknown
        ]
        return f"{place}: unknown key {', '.join(hints)}; known: {', '.join(known)}"
    if error.validator in ("pattern", "anyOf") and "description" in error.schema:  # type: ignore[operator]
        return f"{place}: {error.instance!r} is not {error.schema['description']}"  # type: ignore[index]
    if place.split(".")[-2:-1] == ["lrs"]:
        return f'{place}: {error.instance!r}: write a rate as a quoted string such as "1e-03"'
    return f"{place}: {error.message}"


def _near(word: str, known: list[str]) -> list[str]:
    return difflib.get_close_matches(word, known, n=1)


def _contradictions(config: Config) -> Iterator[str]:
    """What a schema cannot say: values that do not go together."""
    yield from list(_long_paths(config)) or _wrong_places(config)
    for name, database in config["databases"].items():
        if ("root" in database) == ("table" in database) or (
            ("table" in database) != ("frames" in database)
        ):
            yield f"databases.{name}: give either `root`, or `table` and `frames`"
        if "synthetic" in config and "table" not in database:
            yield f"databases.{name}: a synthetic database needs `table` and `frames`"
        if "synthetic" in config and name not in config["synthetic"]["subjects"]:
            yield f"synthetic.subjects: no number of subjects for {name}"
    for name, crop in config["crops"].items():
        yield from _wrong_detector(f"crops.{name}.detector", crop["detector"])
    for name, experiment in config["experiments"].items():
        place = f"experiments.{name}"
        if name in RESERVED:
            yield f"{place}: the name is taken by a folder of weights"
        if experiment["crop"] not in config["crops"]:
            yield f"{place}.crop: crops has no {experiment['crop']!r}"
        for model in experiment["grid"]["models"]:
            yield from _unknown("model", f"{place}.grid.models", model)
        yield from _equal_rates(f"{place}.grid.lrs", experiment["grid"]["lrs"])
        yield from _wrong_label_map(f"{place}.label_map", experiment["label_map"])
        recipe = experiment["recipe"]
        if recipe["accumulation"] > 1 and 2 * recipe["accumulation"] > recipe["batch_size"]:
            yield (
                f"{place}.recipe.accumulation: {recipe['accumulation']} parts of a batch of "
                f"{recipe['batch_size']}: a part needs two images, for batch normalisation"
            )
        validation = experiment["split"]["validation"]
        if (validation["from"] == "train") != ("fraction" in validation):
            yield (
                f"{place}.split.validation: write {{from: train, fraction: 0.2}} or "
                "{from: surplus}"
            )
        unseen = experiment["split"]["unseen_subjects"]
        if unseen and "apex" not in experiment["phases"]:
            yield f"{place}.split.unseen_subjects: they are tested on apex frames; add the phase"
        for subject in unseen:
            if subject.split("/")[0] not in config["databases"]:
                yield f"{place}.split.unseen_subjects: no database is listed for {subject!r}"
    if config["show_faces"] == "synthetic" and "synthetic" not in config:
        yield "show_faces: only synthetic databases have synthetic faces to show"


def _long_paths(config: Config) -> Iterator[str]:
    """Paths that no file system takes: asking it would end in an error of its own."""
    blocks = {"": config}
    blocks |= {f"databases.{name}.": block for name, block in config["databases"].items()}
    blocks |= {
        f"crops.{name}.detector.": crop["detector"] for name, crop in config["crops"].items()
    }
    blocks |= {
        f"experiments.{name}.recipe.": block["recipe"]
        for name, block in config["experiments"].items()
    }
    for place, block in blocks.items():
        for key in ("results", "root", "table", "frames", "weights", "network"):
            path = block.get(key)
            if isinstance(path, str) and (
                len(path.encode()) > LONGEST_PATH
                or max(len(part.encode()) for part in path.split("/")) > LONGEST_NAME
            ):
                yield f"{place}{key}: {path!r} is too long for a path; shorten it"


def _wrong_places(config: Config) -> Iterator[str]:
    """Folders that lie in each other. Of the databases, nothing on disk is looked at."""
    results, synthetic = config["results"], "synthetic" in config
    if results.startswith("~") or os.path.normpath(results).split("/")[-1] in ("", ".", ".."):
        yield (
            f"results: {results!r}: name a folder that is for the results alone, with its path "
            "written out (`~` stands for nothing here)"
        )
    for folder in filter(partial(_lies_in, results), OWN_FOLDERS):
        yield f"results: {results!r} lies in {folder}, which is the project's; name another folder"
    for above in (Path(results), *Path(results).parents):
        if above.exists() and not above.is_dir():
            yield f"results: {results!r}: {str(above)!r} is a file; name a folder"
    folders: dict[str, str] = {}
    for name, database in config["databases"].items():
        places = {key: database[key] for key in ("root", "table", "frames") if key in database}
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
                    f"databases.{name}.{key}: {place!r} holds the results folder, whose crops "
                    "would be searched for frames; move one of them"
                )
            if key != "table":
                folders[f"databases.{name}.{key}"] = place
    for (one, place), (other, second) in combinations(folders.items(), 2):
        if _lies_in(place, second) or _lies_in(second, place):
            yield (
                f"{one} and {other}: {place!r} and {second!r} lie in each other, and frames of "
                "one database would be taken for the other's; give each its own folder"
            )


def _lies_in(place: str, folder: str) -> bool:
    inner, outer = (os.path.normpath(Path.cwd() / path) for path in (place, folder))
    return Path(inner).is_relative_to(outer)


def _unknown(kind: str, place: str, name: str) -> Iterator[str]:
    known = registry.names(kind)
    if name not in known:
        yield f"{place}: no {kind} is called {name!r}; known: {', '.join(known)}"


def _wrong_detector(place: str, detector: Config) -> Iterator[str]:
    name = detector["name"]
    yield from _unknown("detector", f"{place}.name", name)
    for key in detector:
        if key not in ("name", "confidence", "weights", *DETECTOR_KEYS.get(name, ())):
            yield f"{place}.{key}: not a key of {name}"
    if name == "opencv_ssd" and detector["weights"] is None:
        yield f"{place}.weights: opencv_ssd needs the path of your file"


def _equal_rates(place: str, rates: list[str]) -> Iterator[str]:
    first: dict[Decimal, str] = {}
    for rate in rates:
        if (same := first.setdefault(Decimal(rate), rate)) != rate:
            yield f"{place}: {same!r} and {rate!r} are the same rate"


def _wrong_label_map(place: str, label_map: dict[str, list[str]]) -> Iterator[str]:
    owner: dict[str, str] = {}
    for label, emotions in label_map.items():
        for emotion in emotions:
            if emotion != emotion.strip().casefold():
                yield f"{place}.{label}: write {emotion!r} in lower case: tables are read so"
            if (other := owner.setdefault(emotion, label)) != label:
                yield f"{place}: {emotion!r} belongs to both {other!r} and {label!r}"
