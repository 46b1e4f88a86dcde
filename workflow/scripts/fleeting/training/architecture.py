"""A network as an experiment uses it: for its channels and size, with its normalisation and head.

Its name says where a network comes from: a module of ours in `networks/`, or torchvision.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial

import torch
from torch import nn
from torch.nn.functional import interpolate
from torch.nn.modules.module import register_module_parameter_registration_hook

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training.network_names import TORCHVISION, module_name

COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Architecture:
    """A network with its input and normalisation, made by `architecture`.

    Attributes:
        name: the network's name in the config.
        channels: the input's channels, in order.
        size: height and width of the network's input, to which `prepare` resizes pictures; for
            other inputs, the shape of an example without its channels.
        mean: of each channel; `prepare` subtracts it. 0 for a channel that is no colour.
        deviation: of each channel; `prepare` divides by it. 1 for a channel that is no colour.
        aux_weights: the weights in the training loss of the outputs after the first. A network that
            has any returns a tuple in training mode and its logits alone in evaluation mode.
        weights_url: where torchvision's ImageNet weights are published; None: there are none.
        untrained: branches that the published weights hold but that were never trained.
        build: makes a network for a number of classes, from (N, C, *size) float values to
            (N, classes) logits; draws all initial values from PyTorch's default generator.
    """

    name: str
    channels: tuple[str, ...]
    size: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    aux_weights: tuple[float, ...]
    weights_url: str | None
    untrained: tuple[str, ...]
    build: Callable[[int], nn.Module] = field(repr=False, compare=False)

    @property
    def weights_file(self) -> str | None:
        """The file name of torchvision's ImageNet weights (IMAGENET1K_V1); None: there are none.

        The digits after its last hyphen are the start of the file's sha256.
        """
        return self.weights_url and self.weights_url.rsplit("/", 1)[1]

    @cached_property
    def _outlines(self) -> dict[int, nn.Module]:
        return {}

    def outline(self, classes: int) -> nn.Module:
        """The same network on torch's `meta` device: real shapes, no values, nothing drawn.

        It is made once for each number of classes.
        """
        if classes not in self._outlines:
            self._outlines[classes] = self._made(classes)
        return self._outlines[classes]

    def _made(self, classes: int) -> nn.Module:
        def empty(_: nn.Module, __: str, parameter: nn.Parameter) -> nn.Parameter:
            return nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)

        # Not `torch.device("meta")`: RegNet computes its widths with tensors.
        hook = register_module_parameter_registration_hook(empty)  # type: ignore[arg-type]
        try:
            with torch.random.fork_rng(devices=[]):
                return self.build(classes).to("meta")
        except Exception as error:
            if ":" not in self.name:
                raise
            raise UserError(
                f"models: {self.name} cannot make a network of {classes} outputs "
                f"({type(error).__name__}: {error}); correct the function"
            ) from None
        finally:
            hook.remove()

    def check_own(self, outputs: int) -> None:
        """Try a network of the user's on two examples; nothing is computed.

        Raises:
            UserError: it cannot be built or applied, or does not return (2, outputs) logits.
        """
        if ":" not in self.name:
            return
        shape = (2, len(self.channels), *self.size)
        network = self.outline(outputs)
        try:
            # As in a test: some return more while they are trained.
            found = network.eval()(torch.empty(shape, device="meta"))
        except Exception as error:
            raise UserError(
                f"models: {self.name}, made for {outputs} outputs, fails for examples of the shape "
                f"{shape} ({type(error).__name__}: {error}); correct the function"
            ) from None
        what = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        if what != (2, outputs):
            raise UserError(
                f"models: {self.name}, made for {outputs} outputs, returns {what} for examples of "
                f"the shape {shape}, not logits of the shape {(2, outputs)}; correct the function"
            )

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Dotted names of the layers that pretrained weights are loaded without, in order.

        These are the layers whose shapes depend on the number of classes, those of auxiliary heads
        included, and branches whose published weights were never trained.
        """
        two, three = (dict(self.outline(classes).named_parameters()) for classes in (2, 3))
        found = []
        for name in two:
            if two[name].shape != three[name].shape:
                branches = (branch for branch in self.untrained if name.startswith(f"{branch}."))
                found.append(next(branches, name.rpartition(".")[0]))
        return tuple(dict.fromkeys(found))

    @cached_property
    def first_layer(self) -> str:
        """The dotted name of the layer that sees the input: the first convolution."""
        modules = self.outline(2).named_modules()
        return next(name for name, module in modules if isinstance(module, nn.Conv2d))

    def prepare(self, values: torch.Tensor) -> torch.Tensor:
        """Values as the network wants them, on their device: resized, colours normalised.

        Args:
            values: (N, C, H, W) float values as the input declares them, colours from 0 to 1.

        Returns:
            (N, C, *size) float values. Channels that are not colours are not normalised.
        """
        if tuple(values.shape[2:]) != self.size:
            values = interpolate(values, self.size, mode="bilinear", antialias=True)
        if not any(self.mean) and set(self.deviation) == {1.0}:
            return values
        shape = (1, -1, *[1] * len(self.size))
        mean = _constant(self.mean, values.device).view(shape)
        deviation = _constant(self.deviation, values.device).view(shape)
        return (values - mean) / deviation


def architecture(
    name: str, channels: Sequence[str], size: Sequence[int], pretrained: bool
) -> Architecture:
    """The named network for an input.

    Args:
        name: a module in `networks/`, a classifier of torchvision, or `package.module:function`, a
            function of the user's that takes what the `build` of such a module takes.
        channels: the input's channels. `red`, `green`, `blue` and names that end in `_red`,
            `_green`, `_blue` are colours.
        size: the input's height and width, or the shape of its examples without the channels.
        pretrained: whether weights are loaded; torchvision's networks then see images of the size
            that their ImageNet weights were trained for.

    Raises:
        UserError: there is no such network, or one of torchvision is named for an input whose
            examples are not pictures.
    """
    size = tuple(size)
    dotted = module_name(name)
    module = registry.load_own(dotted) if ":" in name else registry.load_module(dotted)
    if dotted == TORCHVISION:
        if len(size) != 2:
            raise UserError(
                f"grid.models: {name} of torchvision takes pictures, but the input's examples have "
                f"the shape {(*size, len(channels))}; name a network that is made for them"
            )
        facts = module.facts(name, size, pretrained)
        build = partial(module.build, name, channels=len(channels))
    else:
        facts = {
            "size": getattr(module, "SIZE", size),
            # Unless the module says otherwise, colours are centred to -0.5..0.5.
            "mean": getattr(module, "MEAN", (0.5, 0.5, 0.5)),
            "deviation": getattr(module, "DEVIATION", (1.0, 1.0, 1.0)),
            "aux_weights": getattr(module, "AUX_WEIGHTS", ()),
            "weights_url": None,
            "untrained": (),
        }
        function = name.partition(":")[2] or "build"
        if not hasattr(module, function):
            raise UserError(f"models: {module.__file__} has no function {function!r}")
        build = partial(getattr(module, function), channels=len(channels), size=size)
    facts["mean"] = _by_channel(channels, facts["mean"], 0.0)
    facts["deviation"] = _by_channel(channels, facts["deviation"], 1.0)
    return Architecture(name=name, channels=tuple(channels), build=build, **facts)


def _by_channel(
    channels: Sequence[str], of_colours: Sequence[float], otherwise: float
) -> tuple[float, ...]:
    """A value for each channel: that of its colour, or `otherwise` if it is no colour."""
    values = dict(zip(COLOURS, of_colours, strict=True))
    return tuple(values.get(channel.rpartition("_")[2], otherwise) for channel in channels)


@cache
def _constant(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """(C,) on a device; moved once, since a recorded step cannot wait for the host."""
    return torch.tensor(values, device=device)
