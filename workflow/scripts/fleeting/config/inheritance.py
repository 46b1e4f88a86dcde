"""`based_on`: an experiment takes the values of another where it gives none itself."""

from collections.abc import Mapping
from typing import Any

from fleeting.errors import UserError

#: The experiment whose values are the defaults, so that every file may build on it.
PAPER = "paper"
#: Blocks that are merged with the parent's key by key; any other value replaces the parent's.
MERGED: dict[str, Any] = {
    "protocol": {},
    "recipe": {"optimiser": {}, "schedule": {}, "balance": {}},
    "grid": {},
}
#: The kinds of blocks that do not name one.
KINDS = {
    "protocol": {"kind": "random_images"},
    "recipe": {
        "optimiser": {"kind": "sgd"},
        "schedule": {"kind": "constant"},
        "balance": {"kind": "none"},
    },
}


def resolve(name: str, experiments: Mapping[str, Any]) -> Any:
    """An experiment as it is in the file, with the values that it inherits.

    Args:
        name: the experiment's.
        experiments: all experiments of the file, unchecked.

    Returns:
        The merged block without `based_on`. Anything but a block is returned as it is: the check
        that follows reports it.

    Raises:
        UserError: `based_on` names no experiment, or the chain is circular.
    """
    chain = [name]
    while (
        isinstance(own := _block(chain[-1], experiments), dict) and own.get("based_on") is not None
    ):
        place, parent = f"experiments.{chain[-1]}.based_on", str(own["based_on"])
        if parent in chain:
            raise UserError(f"{place}: circular: {' -> '.join((*chain, parent))}; remove one")
        if parent not in experiments and parent != PAPER:
            known = ", ".join(map(str, experiments)) or PAPER
            raise UserError(f"{place}: there is no experiment {parent!r}; known: {known}")
        chain.append(parent)
    merged: Any = KINDS
    for each in reversed(chain):
        own = _block(each, experiments)
        if not isinstance(own, dict):
            return own
        merged = _merge(merged, own, MERGED)
    return {key: value for key, value in merged.items() if key != "based_on"}


def _block(name: str, experiments: Mapping[str, Any]) -> Any:
    block = experiments.get(name)
    return {} if block is None else block


def _merge(parent: Mapping[str, Any], child: Mapping[str, Any], deeper: Mapping[str, Any]) -> Any:
    """The child's keys over the parent's; the blocks named in `deeper` are merged likewise.

    A block that names another `kind` than the parent's replaces it: its keys mean something else.
    So does a bare name, which stands for the kind's defaults.
    """
    merged = {**parent, **child}
    for key, below in deeper.items():
        above, own = parent.get(key), child.get(key)
        if isinstance(above, str):
            above = {"kind": above}
        if isinstance(above, dict) and isinstance(own, dict):
            same = "kind" not in own or own["kind"] == above.get("kind")
            merged[key] = _merge(above, own, below) if same else own
    return merged
