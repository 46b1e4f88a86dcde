"""The config as the workflow reads it: checked, completed with the paper's values, resolved."""

import difflib
import math
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
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


def complete(config: Config) -> Config:
    """Check a config as read from a file and fill in what it leaves out.

    Returns a new config in which every experiment is whole (`based_on` resolved and removed).
    Raises one `UserError` that lists every wrong key with its place, value and remedy.
    """
    config = _plain(deepcopy(config))
    if isinstance(config.get("experiments"), dict):
        config["experiments"] = _resolve_experiments(config["experiments"])
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    validator = _filling_validator()(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    wrong = [_message(error) for error in errors] or list(_contradictions(config))
    if wrong:
        raise UserError("the config cannot be used:\n" + "\n".join(f"  {line}" for line in wrong))
    order = schema["properties"]["databases"]["properties"]
    listed = config["databases"]
    config["databases"] = {name: listed[name] for name in order if name in listed}
    config["results"] = config["results"].rstrip("/") or "/"
    return config


def _plain(value: Any) -> Any:
    """Whole numbers as integers: 2.0 means 2 and must not look like a change of it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _resolve_experiments(experiments: dict[str, Any]) -> dict[str, Any]:
    """Replace each `based_on` by the values of the experiment that it names."""

    def resolved(name: str, asked_by: tuple[str, ...]) -> Any:
        place = f"experiments.{asked_by[-1] if asked_by else name}.based_on"
        if name in asked_by:
            raise UserError(f"{place}: {' -> '.join((*asked_by, name))} goes in a circle")
        if name not in experiments and name != PAPER:
            raise UserError(f"{place}: there is no experiment {name!r} to build on")
        own = experiments.get(name) or {}
        if not isinstance(own, dict) or "based_on" not in own:
            return own
        parent = resolved(str(own["based_on"]), (*asked_by, name))
        merged = {**parent, **{key: value for key, value in own.items() if key != "based_on"}}
        for block in MERGED:
            if isinstance(parent.get(block), dict) and isinstance(own.get(block), dict):
                merged[block] = {**parent[block], **own[block]}
        return merged

    return {name: resolved(name, ()) for name in experiments}


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
    if place.split(".")[-2:-1] == ["lrs"]:
        return f'{place}: {error.instance!r}: write a rate as a quoted string such as "1e-03"'
    return f"{place}: {error.message}"


def _near(word: str, known: list[str]) -> list[str]:
    return difflib.get_close_matches(word, known, n=1)


def _contradictions(config: Config) -> Iterator[str]:
    """What a schema cannot say: values that do not go together."""
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
