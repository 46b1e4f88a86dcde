"""Pretrained weights: fetched or found once, checked whenever they are loaded, without heads."""

import copy
import json
import re
import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.error import URLError

import torch

from fleeting.errors import UserError
from fleeting.files import write_text
from fleeting.paths import sha256
from fleeting.training import weights_file
from fleeting.training.architecture import COLOURS, Architecture, architecture

#: A server that does not answer within this many seconds counts as no network.
DOWNLOAD_TIMEOUT = 20
#: Batch normalisation's count of the batches it has seen. torchvision's ResNet files are older than
#: it and lack it; no network here uses it.
BATCH_COUNT = ".num_batches_tracked"
#: Parameters that torchvision's DenseNet and ViT files still hold under their former names.
RENAMED = (
    (re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\.\w+)"), r"\1\2"),
    (re.compile(r"(.*\.mlp)\.linear_1\.(\w+)"), r"\1.0.\2"),
    (re.compile(r"(.*\.mlp)\.linear_2\.(\w+)"), r"\1.3.\2"),
)

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Weights:
    """The identity of a weights file, wherever it is: its name and its whole sha256.

    `unwrapped` says what was done to read a state dict of the network out of it.
    """

    file: str
    sha256: str
    unwrapped: str = ""

    def facts(self) -> dict[str, str]:
        """The fields that hold anything."""
        return {name: value for name, value in asdict(self).items() if value}

    def save(self, path: Path) -> None:
        """Write the facts as JSON."""
        write_text(json.dumps(self.facts(), indent=2) + "\n", path)

    @classmethod
    def read(cls, path: Path) -> "Weights":
        """Read what `save` wrote."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError, OSError):
            raise UserError(
                f"{path}: the record of the weights is missing or truncated; rerun with "
                "`-R fetch_weights`"
            ) from None


def run(*, network: str, file: Path | None = None, output: Path) -> None:
    """Fetch or find the pretrained weights of a network, check that they fit, record what they are.

    Args:
        network: its name, or `package.module:function` of the user's.
        file: the user's own weights file; None: torchvision's ImageNet weights.
        output: the record to write (JSON).

    Raises:
        UserError: the file is missing, corrupt, or does not fit the network.
    """
    if file:
        path, found = file, identify(file)
    else:
        found = fetch_imagenet(architecture(network, COLOURS, (224, 224), pretrained=True))
        path = cache_folder() / found.file
    # Now, not hours later in the first training job.
    done = check(network, path, found)
    replace(found, unwrapped="; ".join(done)).save(output)


def cache_folder() -> Path:
    """The folder of torchvision's weights (`TORCH_HOME` moves it)."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def fetch_imagenet(network: Architecture) -> Weights:
    """Make sure that torchvision's ImageNet weights of a network are in its cache.

    A file that is there already needs no connection. The hexadecimal digits in its name are the
    start of its sha256 and are checked in either case.

    Raises:
        UserError: there are no such weights, they cannot be downloaded, or the file is not the
            published one.
    """
    url, name = network.weights_url, network.weights_file
    if not url or not name:
        raise UserError(
            f"torchvision has no ImageNet weights (IMAGENET1K_V1) for {network.name}; set "
            "recipe.weights to none or to a file of your own, or take another model"
        )
    path = cache_folder() / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
        try:
            torch.hub.download_url_to_file(url, str(path), _digits(path), progress=False)
        except (OSError, URLError, RuntimeError) as error:
            raise UserError(
                f"the ImageNet weights {name} cannot be downloaded from {url} ({error}). "
                f"Put the file into {path.parent} (its sha256 starts with {_digits(path)}), or "
                "name files of your own in the config under recipe.weights, and rerun."
            ) from None
    return identify_imagenet(path)


def identify_imagenet(path: Path) -> Weights:
    """Hash an ImageNet file and check the digits in its name against it."""
    digest = sha256(path)
    if not digest.startswith(_digits(path)):
        raise UserError(
            f"{path} is not the file it is called: its sha256 starts with {digest[:8]} instead of "
            f"{_digits(path)}. Delete it, so that it is downloaded again."
        )
    return Weights(path.name, digest)


def _digits(path: Path) -> str:
    return path.stem.rsplit("-", 1)[1]


def identify(path: Path) -> Weights:
    """Hash a user's own weights file."""
    if not path.is_file():
        raise UserError(
            f"{path}: there is no such weights file; correct recipe.weights in the config"
        )
    return Weights(path.name, sha256(path))


def check(name: str, path: Path, weights: Weights) -> list[str]:
    """Load a file as a run will, for the errors of `fresh_state`; returns what was unwrapped.

    The channels of the input are not known here: a file may be for any.
    """
    network = architecture(name, COLOURS, (224, 224), pretrained=True)
    held, done = _read(path, weights)
    kernels = held.get(f"{network.first_layer}.weight")
    if kernels is not None and kernels.dim() == 4 and 0 < kernels.shape[1] != len(COLOURS):
        channels = [str(number) for number in range(kernels.shape[1])]
        network = architecture(name, channels, (224, 224), pretrained=True)
    _body(network, path, weights)
    further = sorted(_further(held, network.outline(2).state_dict()))
    return [*done, f"without the layers {', '.join(further)}"] if further else done


def _further(held: Iterable[str], own: Iterable[str]) -> set[str]:
    """The names of whole layers in a file that the network does not have, such as another head.

    A layer below one of the network's is no such one: ResNet34 holds all that ResNet18 does.
    """
    return {key.split(".")[0] for key in held} - {key.split(".")[0] for key in own}


def fresh_state(network: Architecture, classes: int, path: Path, weights: Weights) -> State:
    """The state dict that a fold starts from: pretrained weights, heads freshly drawn.

    Args:
        network: what the state is for.
        classes: the outputs of the heads, whose initial values come from PyTorch's default
            generator.
        path: a file that holds a state dict; read with `weights_only=True`.
        weights: what the file was when the weights were fetched.

    Returns:
        A state for `load_state_dict` of `network.build(classes)`. The file is read and checked once
        per process: later calls return the same tensors except for the heads, so copy them.

    Raises:
        UserError: the file changed since it was fetched, cannot be loaded safely, or holds the
            weights of another model.
    """
    fresh = dict(_body(network, path, weights))
    outline = network.outline(classes)
    for name in network.heads:
        head = copy.deepcopy(outline.get_submodule(name)).to_empty(device="cpu")
        for layer in head.modules():
            if reset := getattr(layer, "reset_parameters", None):
                reset()
        fresh.update(head.state_dict(prefix=f"{name}."))
    return fresh


@lru_cache(maxsize=1)
def _body(network: Architecture, path: Path, weights: Weights) -> State:
    """The values of all layers but the heads, checked against the network."""
    held = dict(_read(path, weights)[0])
    own = network.outline(2).state_dict()
    heads = tuple(f"{name}." for name in network.heads)
    body = [key for key in own if not key.startswith(heads)]
    held = {key: torch.tensor(0) for key in body if key.endswith(BATCH_COUNT)} | held
    first = f"{network.first_layer}.weight"
    if first in held and first in own:
        held[first] = _for_channels(held[first], own[first].shape)
    wrong = sorted(
        key for key in body if key not in held or held[key].shape != own[key].shape
    ) + sorted(
        key for key in held if key not in own and key.split(".")[0] not in _further(held, own)
    )
    if wrong:
        raise UserError(
            f"{path} holds the weights of another model: {len(wrong)} parameters differ, the "
            f"first is {wrong[0]!r}"
        )
    return {key: held[key] for key in body}


def _for_channels(kernels: torch.Tensor, wanted: torch.Size) -> torch.Tensor:
    """A first layer's RGB kernels repeated for other channels.

    They are repeated cyclically and scaled by 3 / C, which keeps the scale of the outputs.
    """
    channels = wanted[1]
    if kernels.shape == wanted or kernels.dim() != 4 or kernels.shape[1] != 3:
        return kernels
    return kernels[:, torch.arange(channels) % 3] * (3 / channels)


@lru_cache(maxsize=1)
def _read(path: Path, weights: Weights) -> tuple[State, list[str]]:
    """The state dict in a file that is still the one that was fetched, under today's names.

    With it comes what was unwrapped.
    """
    if not path.is_file():
        raise UserError(f"the weights file {path} is gone; rerun with `-R fetch_weights`")
    if (digest := sha256(path)) != weights.sha256:
        raise UserError(
            f"the weights file {path} changed since it was fetched: its sha256 is {digest} instead "
            f"of {weights.sha256}. Put the former file back, or rerun with `-R fetch_weights`."
        )
    held, done = weights_file.read(path)
    return {_current_name(key): tensor for key, tensor in held.items()}, done


def _current_name(name: str) -> str:
    for pattern, replacement in RENAMED:
        if pattern.fullmatch(name):
            return pattern.sub(replacement, name)
    return name
