"""The names of all networks, and the module of each; light, since Snakemake imports this."""

from fleeting import registry
from fleeting.errors import UserError

#: Builds every network of torchvision.
TORCHVISION = "fleeting.training.torchvision_networks"
#: torchvision's classifiers: listing them here saves Snakemake the import of torchvision.
TORCHVISION_NAMES: tuple[str, ...] = tuple(
    """
    alexnet convnext_base convnext_large convnext_small convnext_tiny densenet121
    densenet161 densenet169 densenet201 efficientnet_b0 efficientnet_b1 efficientnet_b2
    efficientnet_b3 efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7
    efficientnet_v2_l efficientnet_v2_m efficientnet_v2_s googlenet inception_v3 maxvit_t
    mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3 mobilenet_v2 mobilenet_v3_large
    mobilenet_v3_small regnet_x_16gf regnet_x_1_6gf regnet_x_32gf regnet_x_3_2gf
    regnet_x_400mf regnet_x_800mf regnet_x_8gf regnet_y_128gf regnet_y_16gf regnet_y_1_6gf
    regnet_y_32gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf regnet_y_8gf resnet101
    resnet152 resnet18 resnet34 resnet50 resnext101_32x8d resnext101_64x4d resnext50_32x4d
    shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0
    squeezenet1_0 squeezenet1_1 swin_b swin_s swin_t swin_v2_b swin_v2_s swin_v2_t vgg11
    vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn vit_b_16 vit_b_32 vit_h_14
    vit_l_16 vit_l_32 wide_resnet101_2 wide_resnet50_2
    """.split()
)


def network_names() -> list[str]:
    """The names that `grid.models` may hold, sorted: modules of ours and torchvision's networks."""
    return sorted({*registry.names("network"), *TORCHVISION_NAMES})


def module_name(name: str) -> str:
    """The dotted name of the module that a network comes from; a module of ours takes precedence.

    Args:
        name: a network's, or `package.module:function` of the user's.

    Raises:
        UserError: neither this project nor torchvision has such a network.
    """
    if ":" in name:
        return name.partition(":")[0]
    if name in registry.names("network"):
        return registry.module_name("network", name)
    if name in TORCHVISION_NAMES:
        return TORCHVISION
    raise UserError(
        f"no network is called {name!r}; grid.models takes any classifier of torchvision and "
        f"{', '.join(registry.names('network'))}"
    )
