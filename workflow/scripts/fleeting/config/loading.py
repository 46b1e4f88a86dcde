"""A config as it was read from a file, made into one that the rules can rely on."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleeting import registry
from fleeting.config import consistency, inheritance, messages, models
from fleeting.errors import UserError

Config = dict[str, Any]

#: More values than any config holds, and deeper ones; with anchors a short file can stand for both.
MOST_VALUES, DEEPEST = 100_000, 20
#: The paper's databases, in its order; others follow by name.
FIRST = ("casme", "casme2", "cas_me2", "samm")


def load(raw: Config) -> Config:
    """Check a config as read from a file and fill in what it leaves out.

    Args:
        raw: the file's content; it is not changed.

    Returns:
        Plain dicts, lists and values, in which every experiment is complete (`based_on` resolved
        and removed) and `databases` is in a fixed order.

    Raises:
        UserError: lists every wrong key with its place, value and remedy.
    """
    _check_extent(raw)
    wrong: list[str] = []
    given = _plain(raw, (), wrong)
    if wrong:
        raise messages.refusal(wrong)
    if isinstance(given, dict):
        _fill_kinds(given)
    try:
        checked = models.Config.model_validate(given)
    except ValidationError as error:
        raise messages.refusal(messages.describe(error, given)) from None
    config: Config = _plain(checked.model_dump(mode="json", by_alias=True), (), wrong)
    config["results"] = config["results"].rstrip("/") or "/"
    if config["synthetic"] is None:
        del config["synthetic"]
    wrong = [*messages.mistaken_booleans(given, config), *consistency.contradictions(config)]
    if wrong:
        raise messages.refusal(wrong)
    listed = config["databases"]
    order = [*(name for name in FIRST if name in listed), *sorted(set(listed) - set(FIRST))]
    config["databases"] = {name: listed[name] for name in order}
    return config


def check_keys(path: Path) -> None:
    """Refuse a config file in which a block has a key twice: only the last one would count."""
    import yaml

    text = path.read_text(encoding="utf-8")
    try:
        # Snakemake, too, reads a file as JSON before it tries YAML.
        json.loads(
            text, object_pairs_hook=lambda pairs: _check_once([key for key, _ in pairs], path)
        )
        return
    except json.JSONDecodeError:
        waiting, seen = [yaml.compose(text, yaml.SafeLoader)], set()
    while waiting:
        node = waiting.pop()
        # An anchor's node is there once, however often it is used.
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
            raise UserError(
                f"{place}: the key {key!r} appears {count} times in one block; keep one"
            )


def _check_extent(config: Any) -> None:
    waiting, count = [(config, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if count > MOST_VALUES or depth > DEEPEST:
            raise UserError(
                f"the config holds more than {MOST_VALUES} values, or some more than {DEEPEST} "
                "levels deep (the content of an anchor counts wherever it is used); shorten it"
            )
        inside = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list | tuple):
            waiting += [(item, depth + 1) for item in inside]


def _plain(value: Any, path: tuple[Any, ...], wrong: list[str]) -> Any:
    """A copy without what JSON does not have; whole numbers are integers, so that 2.0 means 2."""
    if isinstance(value, dict):
        return {key: _plain(item, (*path, key), wrong) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, (*path, number), wrong) for number, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        wrong.append(f"{messages.place(path)}: {value} is not a number that can be used")
    elif not isinstance(value, str | int | float | None):
        kind = type(value).__name__
        wrong.append(f"{messages.place(path)}: {messages.shown(value)} ({kind}) cannot be used")
    elif isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _fill_kinds(config: Config) -> None:
    """Resolve `based_on`, and name the variants that the file leaves to the paper's choice."""
    blocks = config.get("experiments")
    if isinstance(blocks, dict):
        config["experiments"] = {name: inheritance.resolve(name, blocks) for name in blocks}
    for name, block in _blocks(config, "databases"):
        if name in registry.names("reader"):
            block.setdefault("reader", name)
    for _, block in _blocks(config, "crops"):
        if isinstance(block.get("detector"), dict):
            block["detector"].setdefault("kind", "blazeface")


def _blocks(config: Config, key: str) -> list[tuple[Any, Any]]:
    """The named blocks under a key, as far as they are blocks."""
    named = config.get(key)
    if not isinstance(named, dict):
        return []
    return [(name, block) for name, block in named.items() if isinstance(block, dict)]
