"""Which networks there are, and the module that each comes from; Snakemake imports this."""

from fleeting import registry
from fleeting.errors import UserError
from fleeting.training.torchvision_names import NAMES

#: Builds every network of torchvision.
TORCHVISION = "fleeting.training.torchvision_networks"


def network_names() -> list[str]:
    """The names that `grid.models` may hold, sorted: modules of ours and torchvision's networks."""
    return sorted({*registry.names("network"), *NAMES})


def module_name(name: str) -> str:
    """The dotted name of the module that a network comes from; a module of ours takes precedence.

    Raises:
        UserError: neither this project nor torchvision has such a network.
    """
    if name in registry.names("network"):
        return registry.module_name("network", name)
    if name in NAMES:
        return TORCHVISION
    raise UserError(
        f"no network is called {name!r}; grid.models takes any classifier of torchvision and "
        f"{', '.join(registry.names('network'))}"
    )
