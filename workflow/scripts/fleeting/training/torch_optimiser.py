"""How the modules in `optimisers/` make PyTorch's optimisers; light, since Snakemake imports them.

The keys of their settings are PyTorch's own parameters, with its defaults.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from fleeting.settings import Variant

if TYPE_CHECKING:
    import torch

#: How much of a running mean stays in each step.
Decay = Annotated[float, Field(ge=0, lt=1)]
#: Those of the gradient and of its square, in this order.
Betas = tuple[Decay, Decay]
#: Keeps a denominator from zero.
Epsilon = Annotated[float, Field(gt=0)]
WeightDecay = Annotated[float, Field(ge=0)]


def make(
    name: str,
    parameters: "Iterable[torch.nn.Parameter]",
    lr: "torch.Tensor",
    settings: Variant,
    fused: bool = False,
    capturable: bool = False,
) -> "torch.optim.Optimizer":
    """An optimiser with the values of its settings.

    Args:
        name: of its class in `torch.optim`.
        parameters: what it updates.
        lr: a 0-d tensor on the parameters' device that changes with every step.
        settings: each key but `kind` is one of its parameters.
        fused: whether one kernel updates all weights; it reads the rate on the device.
        capturable: whether it has to be told to count its steps on a GPU, as a recorded step must.
    """
    import torch

    options: dict[str, Any] = {"fused": True} if fused else {}
    if capturable:
        options["capturable"] = lr.device.type == "cuda"
    values = settings.model_dump(exclude={"kind"})
    optimiser: torch.optim.Optimizer = getattr(torch.optim, name)(
        parameters, lr, **values, **options
    )
    return optimiser
