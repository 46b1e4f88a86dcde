"""Whatever a recipe names: a fold that was interrupted, or is not the first, ends the same."""

import io
from typing import Any

import pytest
import torch

from fleeting.training import balancing
from fleeting.training.architecture import architecture
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.freezing import freeze
from fleeting.training.predict import predict
from fleeting.training.recipe import Recipe
from fleeting.training.state import as_bytes
from recipe_variants import VARIANTS
from small_runs import ARRAYS, NETWORK, RECIPE, filled, side, units_of

EPOCHS = 2


def fitter(changes: dict[str, Any]) -> Fitter:
    torch.set_num_threads(1)
    recipe = Recipe.model_validate({**RECIPE, "epochs": EPOCHS, **changes})
    torch.manual_seed(5)
    units = units_of(recipe)
    network = NETWORK.build(2 + units)
    network.add_module("dropout", torch.nn.Dropout(0.2))
    network.to(memory_format=torch.channels_last)
    buffers = filled(side(*range(10)), 12, units), filled(side(10, 11, 12), 12)
    weighs = balancing.weighs(recipe.balance)
    own = Fitter(network, NETWORK, ARRAYS, *buffers, 0.01, recipe, "fp32", 2, weighs)
    if weighs:
        own.weigh([0.5, 2.0])
    return own


def start(own: Fitter, initial: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(1)
    own.start(initial, 1)


def outcome(own: Fitter, history: list[Epoch]) -> tuple[list[Epoch], dict[str, list[float]]]:
    weights = own.network.state_dict().items()
    return list(history), {name: value.flatten().tolist() for name, value in weights}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_fold_ends_the_same_in_a_second_place_and_after_a_kill(name: str) -> None:
    """After each epoch the state is written, read by another process, and fitted on."""
    own = fitter(VARIANTS[name])
    initial = {key: value.clone() for key, value in own.network.state_dict().items()}
    start(own, initial)
    saved: list[bytes] = []

    class Saving:
        def stop_if_asked(self) -> None:
            """Nobody asks."""

        def end_epoch(self, state: dict[str, Any]) -> None:
            saved.append(as_bytes(state))

    expected = outcome(own, own.fit(lambda _: None, Saving()))  # type: ignore[arg-type]
    assert any(
        not torch.equal(value, initial[key]) for key, value in own.network.state_dict().items()
    )
    start(own, initial)
    assert outcome(own, own.fit(lambda _: None)) == expected, "as a second fold"
    for state in saved:
        other = fitter(VARIANTS[name])
        torch.rand(7)
        other.resume(torch.load(io.BytesIO(state), weights_only=True))
        assert outcome(other, other.fit(lambda _: None)) == expected


def test_a_fold_stops_early_where_validation_gets_no_better() -> None:
    own = fitter({"epochs": 50, "early_stopping": 2, "tested_epoch": "best_validation"})
    start(own, own.network.state_dict())
    history = own.fit(lambda _: None)
    assert 3 <= len(history) < 50
    best = max(history, key=lambda epoch: (epoch.validation_uf1, -epoch.validation_loss))
    assert len(history) == best.epoch + 2


def test_the_average_of_the_weights_is_what_is_validated_and_tested() -> None:
    decay = 0.8
    own = fitter({"weight_average": decay, "epochs": 2})
    mean = {name: value.clone() for name, value in own.network.state_dict().items()}
    start(own, dict(mean))
    step = own.optimiser.step

    def observed() -> None:
        step()
        for name, value in own.network.state_dict().items():
            if value.is_floating_point():
                mean[name] = decay * mean[name] + (1 - decay) * value

    own.optimiser.step = observed  # type: ignore[assignment, method-assign]
    averaged = own.fit(lambda _: None)
    plain = fitter({"epochs": 2})
    start(plain, plain.network.state_dict())
    last = plain.fit(lambda _: None)
    for name, value in own.network.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, mean[name])
    for one, other in zip(averaged, last, strict=True):
        assert one.train_loss == other.train_loss, "the steps are those without an average"
        assert one.validation_loss != other.validation_loss


def test_test_outputs_may_be_averaged_with_those_of_the_mirror_image() -> None:
    """Of a motion, whose horizontal channel changes its sign in a mirror."""
    flow = ARRAYS.model_copy(update={"channels": ("horizontal", "vertical", "strain"), "zero": 128})
    network = architecture("small", flow.channels, (32, 32), False)
    torch.manual_seed(3)
    built = network.build(2)
    stored = torch.randint(0, 255, (5, 3, 32, 32), dtype=torch.uint8)
    mirrored = stored.flip(3)
    mirrored[:, 0] = (256 - mirrored[:, 0].int()).clamp(max=255).to(torch.uint8)
    plain, other, mean = (
        predict(built, network, values, flow, 4, "fp32", mirror)
        for values, mirror in ((stored, False), (mirrored, False), (stored, True))
    )
    assert not torch.allclose(plain, other)
    torch.testing.assert_close(mean, (plain + other) / 2, rtol=1e-4, atol=1e-4)


COLOURS = ("red", "green", "blue")
#: The share of the weights that are trained with `all_but_last_stage`, by network.
LAST_STAGE = {
    "resnet18": 0.75,
    "alexnet": 0.99,
    "vgg11": 0.97,
    "googlenet": 0.67,
    "inception_v3": 0.53,
    "densenet121": 0.39,
    "squeezenet1_0": 0.27,
    "resnext50_32x4d": 0.63,
    "wide_resnet50_2": 0.63,
    "mobilenet_v2": 0.76,
    "mnasnet1_0": 0.85,
    "shufflenet_v2_x1_0": 0.78,
    "convnext_tiny": 0.56,
    "vit_b_16": 0.08,
    "swin_t": 0.56,
    "regnet_x_400mf": 0.89,
    "efficientnet_b0": 0.79,
    "small": 0.66,
}


@pytest.mark.parametrize("name", LAST_STAGE)
def test_frozen_layers_are_all_but_the_head_or_all_but_the_last_stage(name: str) -> None:
    own = architecture(name, COLOURS, (224, 224), pretrained=name != "small")
    outline = own.outline(2)
    total = sum(parameter.numel() for parameter in outline.parameters())

    def trained() -> set[str]:
        return {key for key, value in outline.named_parameters() if value.requires_grad}

    assert freeze(outline, own.heads, "all_but_head")
    assert {key.rpartition(".")[0] for key in trained()} >= {own.heads[-1]}
    assert all(key.startswith(tuple(f"{head}." for head in own.heads)) for key in trained())
    head = trained()
    freeze(outline, own.heads, "all_but_last_stage")
    assert trained() > head
    values = dict(outline.named_parameters())
    share = sum(values[key].numel() for key in trained()) / total
    assert share == pytest.approx(LAST_STAGE[name], abs=0.01)


@pytest.mark.parametrize("which", ["all_but_head", "all_but_last_stage"])
def test_what_is_frozen_stays_to_the_byte_statistics_included(which: str) -> None:
    """In training mode, with a decay that would move it, and in an average of weights."""
    recipe = {"weights": "imagenet", "freeze": which, "weight_average": 0.5}
    own = fitter({**recipe, "optimiser": {"kind": "sgd", "weight_decay": 0.1}})
    initial = {key: value.clone() for key, value in own.network.state_dict().items()}
    start(own, initial)
    own.fit(lambda _: None)
    moved = {
        key
        for key, value in own.network.state_dict().items()
        if not torch.equal(value, initial[key])
    }
    assert {"head.weight", "head.bias"} <= moved
    assert moved.issuperset({"features.8.weight", "features.9.running_mean"}) is (
        which != "all_but_head"
    )
    assert not any(key.startswith("features.0") for key in moved)
