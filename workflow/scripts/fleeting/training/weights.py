"""Pretrained weights: found or fetched once, checked on every load, loaded without their head."""

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from urllib.error import URLError

import torch
import torchvision

from fleeting.errors import UserError
from fleeting.files import write_text
from fleeting.paths import sha256
from fleeting.training import state

#: A server that says nothing for so many seconds counts as no network.
PATIENCE = 20
#: Batch normalisation's count of the batches it has seen. torchvision's ResNet files are older than
#: it and lack it; no network here uses it.
COUNT = ".num_batches_tracked"


@dataclass(frozen=True)
class Weights:
    """What identifies a weights file wherever it lies: its name and its whole sha256."""

    file: str
    sha256: str

    def save(self, path: Path) -> None:
        """Write the name and hash as JSON."""
        write_text(json.dumps(asdict(self), indent=2) + "\n", path)

    @classmethod
    def read(cls, path: Path) -> "Weights":
        """Read what `save` wrote."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError, OSError):
            raise UserError(
                f"{path}: not a whole record of weights; give your command again with "
                "`-R fetch_weights`"
            ) from None


def cache_folder() -> Path:
    """Where torchvision keeps and looks for its weights (`TORCH_HOME` moves it)."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def fetch_imagenet(model: ModuleType) -> Weights:
    """Make sure that torchvision's ImageNet weights of a model lie in its cache.

    A file that lies there already needs no network. The eight hexadecimal digits in its name are
    the start of its sha256 and are checked in either case.
    """
    path = cache_folder() / model.WEIGHTS
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        url = _download_url(model.WEIGHTS)
        socket.setdefaulttimeout(PATIENCE)
        try:
            torch.hub.download_url_to_file(url, str(path), _digits(model.WEIGHTS), progress=False)
        except (OSError, URLError, RuntimeError) as error:
            raise UserError(
                f"the ImageNet weights {model.WEIGHTS} cannot be downloaded from {url} ({error}). "
                f"Put the file into {path.parent} (its sha256 starts with "
                f"{_digits(model.WEIGHTS)}), or name files of your own in the config under "
                "recipe.weights, and run again."
            ) from None
    return identify_imagenet(path)


def identify_imagenet(path: Path) -> Weights:
    """Hash an ImageNet file and check the digits in its name against it."""
    digest = sha256(path)
    if not digest.startswith(_digits(path.name)):
        raise UserError(
            f"{path} is not the file it is called: its sha256 starts with {digest[:8]} instead of "
            f"{_digits(path.name)}. Delete it, so that it is fetched anew."
        )
    return Weights(path.name, digest)


def identify(path: Path) -> Weights:
    """Hash a user's own weights file."""
    if not path.is_file():
        raise UserError(
            f"{path}: there is no such weights file; correct recipe.weights in the config"
        )
    return Weights(path.name, sha256(path))


def built(model: ModuleType, classes: int, path: Path, weights: Weights) -> torch.nn.Module:
    """A network with the weights of a checked file and a fresh head.

    Args:
        model: the model's module. Its body is not initialised in vain: for the largest networks
            that takes a second.
        classes: the outputs of the head, whose initial values are the seed's.
        path: the file, a state dict; loaded with `weights_only=True`.
        weights: what the file was when the weights were fetched.

    A file that changed since, or that belongs to another model, is a `UserError`.
    """
    if not path.is_file():
        raise UserError(
            f"the weights file {path} is gone; give your command again with `-R fetch_weights`"
        )
    if (digest := sha256(path)) != weights.sha256:
        raise UserError(
            f"the weights file {path} changed since it was fetched: its sha256 is {digest} instead "
            f"of {weights.sha256}. Put the former file back, or give your command again with "
            "`-R fetch_weights`."
        )
    held = state.read(path)
    with torch.device("meta"):
        network: torch.nn.Module = model.build(classes)
    own = network.state_dict()
    body = {key for key in own if not key.startswith(f"{model.HEAD}.")}
    held = {key: torch.tensor(0) for key in body if key.endswith(COUNT)} | held
    wrong = sorted(
        key for key in body if key not in held or held[key].shape != own[key].shape
    ) + sorted(key for key in held if key not in own)
    if wrong:
        raise UserError(
            f"{path} holds the weights of another model: {len(wrong)} parameters differ, the "
            f"first is {wrong[0]!r}"
        )
    network.to_empty(device="cpu")
    network.load_state_dict({key: held[key] for key in body}, strict=False)
    for layer in network.get_submodule(model.HEAD).modules():
        if reset := getattr(layer, "reset_parameters", None):
            reset()
    return network


def check(model: ModuleType, path: Path, weights: Weights) -> None:
    """Load a file as a run will, for the errors that `built` raises alone."""
    built(model, 2, path, weights)


def _digits(name: str) -> str:
    return Path(name).stem.rsplit("-", 1)[1]


def _download_url(name: str) -> str:
    """The address that torchvision itself gives for a file of its own."""
    for model in torchvision.models.list_models(module=torchvision.models):
        for weights in torchvision.models.get_model_weights(model):
            if weights.url.endswith(f"/{name}"):
                return str(weights.url)
    raise UserError(f"this torchvision ({torchvision.__version__}) knows no weights called {name}")
