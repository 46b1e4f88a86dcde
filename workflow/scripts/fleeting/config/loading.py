"""Reading, checking and completing a config, so that the rules can rely on it."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleeting import registry
from fleeting.config import channels, consistency, inheritance, messages, models
from fleeting.errors import UserError
from fleeting.layout import Config

#: The paper's databases, in its order; others follow by name.
PAPER_DATABASES = ("casme", "casme2", "cas_me2", "samm")
#: A full-width colon, and white space that is none to YAML, as they are or as `repr` shows them.
FOREIGN_SIGNS = ("\uff1a", "\u3000", "\\u3000", "\xa0", "\\xa0")


def read(path: Path) -> Config:
    """Read a config file as the workflow would, and complete it.

    Raises:
        UserError: the file cannot be read, is not YAML, repeats a key, or is refused by `load`.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise UserError(
            f"{path}: not in UTF-8{_encoding(path.read_bytes())}; save it as UTF-8, which editors "
            "offer under `Save as`"
        ) from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); name yours with CONFIG=mine.yaml"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        quoted = re.search(r'"[^"\n]*\\[^"\n]*"', text)
        hint = f". In double quotes a backslash starts a code: {quoted[0]}" if quoted else ""
        raise UserError(f"{path}: not YAML; correct it: {error}{hint}") from None
    refuse_repeated_keys(path)
    return load(raw)


def _encoding(content: bytes) -> str:
    """What a file that is not in UTF-8 seems to be written in, for a message."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return " but in UTF-16"
    # Its characters have two bytes, of which the first is high; single ones are European.
    pairs = re.fullmatch(rb"([\x00-\x7f]|[\x81-\xfe][\x40-\xfe])*", content)
    alone = re.search(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", content)
    return " but, as it seems, in GBK (GB 18030)" if pairs and not alone else ""


def load(raw: Any) -> Config:
    """Check a config as read from a file and fill in what it leaves out.

    Args:
        raw: the file's content; it is not changed.

    Returns:
        Plain dicts, lists and values, in which every experiment is complete (`based_on` resolved
        and removed), its `grid.networks` has the network of each model, its name or
        `package.module:function`, and `databases` is in a fixed order.

    Raises:
        UserError: lists every wrong key with its place, value and remedy.
    """
    try:
        given = _with_kinds(raw) if isinstance(raw, dict) else raw
        checked = models.Config.model_validate(given)
    except ValidationError as error:
        wrong = messages.describe(error)
        if any(sign in line for line in wrong for sign in FOREIGN_SIGNS):
            wrong.append(
                "it holds a full-width colon or a space that is none to YAML, as input methods and "
                "web pages leave them: type colons and spaces again in the lines above"
            )
        raise messages.refusal(wrong) from None
    config: Config = _whole_numbers(checked.model_dump(mode="json", by_alias=True))
    config["results"] = config["results"].rstrip("/") or "/"
    if config["synthetic"] is None:
        del config["synthetic"]
    wrong = [
        *messages.mistaken_booleans(given, config),
        *consistency.contradictions(config),
        *channels.misread_channels(given, config),
    ]
    if wrong:
        raise messages.refusal(wrong)
    for experiment in config["experiments"].values():
        grid = experiment["grid"]
        grid["networks"] = {model: config["models"].get(model, model) for model in grid["models"]}
    listed = config["databases"]
    order = [
        *(name for name in PAPER_DATABASES if name in listed),
        *sorted(set(listed) - set(PAPER_DATABASES)),
    ]
    config["databases"] = {name: listed[name] for name in order}
    return config


def refuse_repeated_keys(path: Path) -> None:
    """Refuse a config file in which a block has a key twice: only the last one would count."""
    import yaml

    try:
        waiting, seen = [yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)], set()
    except yaml.YAMLError:
        return  # JSON with tabs, which Snakemake reads as well.
    while waiting:
        node = waiting.pop()
        # An anchor's node is there once, however often it is used.
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            for key, count in Counter(str(key.value) for key, _ in node.value).items():
                if count > 1:
                    raise UserError(
                        f"{path}, line {node.start_mark.line + 1} and below: the key {key!r} "
                        f"appears {count} times in one block; keep one"
                    )
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _whole_numbers(value: Any) -> Any:
    """The value with whole floats as integers: 2.0 and 2 must be the same parameter of a job."""
    if isinstance(value, dict):
        return {key: _whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _with_kinds(config: Config) -> Config:
    """The config with `based_on` resolved, and with default readers and detectors filled in."""
    named = dict(config)
    if isinstance(experiments := config.get("experiments"), dict):
        named["experiments"] = {
            name: inheritance.resolve(name, experiments) for name in experiments
        }
    if isinstance(databases := config.get("databases"), dict):
        readers = registry.names("reader")
        named["databases"] = {
            name: _with_default(block, "reader", name) if name in readers else block
            for name, block in databases.items()
        }
    if isinstance(crops := config.get("crops"), dict):
        named["crops"] = {
            name: block | {"detector": _with_default(block["detector"], "kind", "blazeface")}
            if isinstance(block, dict) and "detector" in block
            else block
            for name, block in crops.items()
        }
    return named


def _with_default(block: Any, key: str, value: str) -> Any:
    return {key: value, **block} if isinstance(block, dict) else block
