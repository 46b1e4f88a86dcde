"""What the residual networks have in common: the classification head."""

import torch

#: The layer that depends on the number of classes; pretrained weights are loaded without it.
HEAD = "fc"


def with_head(network: torch.nn.Module, classes: int) -> torch.nn.Module:
    """Replace the last fully connected layer by a fresh one with `classes` outputs.

    The paper, section 3: "the model followed the original structure except at the end of
    fully-connected layers, where the output neurons only six, corresponded to the number of
    classes". The softmax of table 1 is part of the loss and of the prediction.
    """
    inputs = network.get_submodule(HEAD).get_parameter("weight").shape[1]
    network.set_submodule(HEAD, torch.nn.Linear(inputs, classes))
    return network
