"""Recorded steps, without a GPU: a tape stands in for a CUDA graph.

Like a graph it holds which operation ran on which memory, and with which Python numbers; replaying
runs these again on the same memory and nothing of Python. What a graph cannot do, the tape refuses.
"""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fleeting import registry
from fleeting.training import cuda_graphs
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.recipe import Recipe
from recipe_variants import VARIANTS
from small_runs import (
    ARRAYS,
    CLASSES,
    NETWORK,
    RECIPE,
    filled,
    side,
    store,
    unit_targets,
    units_of,
)


class Tape(TorchDispatchMode):
    """Operations as they were recorded; stands in for `torch.cuda.CUDAGraph`."""

    made: "list[Tape]" = []

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, ...]] = []
        self.replays = 0
        Tape.made.append(self)

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: Any = (), options: Any = None
    ) -> Any:
        assert "_local_scalar_dense" not in str(operation), "a step must not ask for a value"
        result = operation(*arguments, **(options or {}))
        self.calls.append((operation, arguments, options or {}, result))
        return result

    def replay(self) -> None:
        self.replays += 1
        with torch.no_grad():
            for operation, arguments, options, result in self.calls:
                again = operation(*arguments, **options)
                for old, new in zip(tree_leaves(result), tree_leaves(again), strict=True):
                    if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                        old.copy_(new)


class Recording:
    """Stands in for `torch.cuda.graph`: what runs inside is recorded, and must not happen."""

    def __init__(self, tape: Tape, changed: list[torch.Tensor]) -> None:
        self.tape, self.changed = tape, changed

    def __enter__(self) -> None:
        # A graph records without running anything; the tape runs it and puts everything back.
        self.before = [value.detach().clone() for value in self.changed]
        self.random = torch.get_rng_state()
        self.tape.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.tape.__exit__(*error)
        for value, before in zip(self.changed, self.before, strict=True):
            value.detach().copy_(before)
        torch.set_rng_state(self.random)


@pytest.fixture
def tapes(monkeypatch: pytest.MonkeyPatch) -> list[Tape]:
    """Every step is recorded from now on as on CUDA; returns the recordings."""
    monkeypatch.setattr(Tape, "made", [])
    monkeypatch.setattr(cuda_graphs, "memory_pool", lambda device: "memory")
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Tape)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: None)
    return Tape.made


#: Ten, eleven and fourteen training examples in batches of four: sizes 4, 2, 3. Validation: 3; 2; 4
#: and 1.
FOLDS = (
    (side(*range(10)), side(10, 11, 12)),
    (side(*range(3, 14)), side(0, 1)),
    (side(*range(5, 19)), side(1, 2, 3, 4, 20)),
)


def fitter(recipe: Recipe) -> Fitter:
    torch.manual_seed(5)
    units = units_of(recipe)
    network = torch.nn.Sequential(NETWORK.build(2 + units), torch.nn.Dropout(0.2))
    network.to(memory_format=torch.channels_last)
    buffers = filled(FOLDS[0][0], 15, units), filled(FOLDS[0][1], 15)
    return Fitter(network, NETWORK, ARRAYS, *buffers, 0.01, recipe, "fp32", 2)


def weights(own: Fitter) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in own.network.state_dict().items()}


def fit(own: Fitter, fold: int, initial: dict[str, torch.Tensor]) -> list[Epoch]:
    torch.manual_seed(fold)
    own.start(initial, fold)
    targets = unit_targets(FOLDS[fold][0], units_of(own.recipe))
    own.training.fill(store(), FOLDS[fold][0], CLASSES, targets)
    own.validation.fill(store(), FOLDS[fold][1], CLASSES)
    return own.fit(lambda _: None)


#: Without a GPU, PyTorch counts the steps of these on the host: test_training_cuda has them.
COUNT_ON_THE_HOST = {"adadelta", "adamax", "asgd", "nadam", "radam", "rmsprop"}


def recordable(changes: dict[str, Any]) -> bool:
    kind = Recipe.model_validate(changes).optimiser.kind
    return getattr(registry.load("optimiser", kind), "RECORDABLE", True)


@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - COUNT_ON_THE_HOST))
def test_recorded_steps_do_what_the_steps_do_in_every_fold(
    name: str, tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other rates, other examples, other sizes: the same bytes as one step after the other."""
    torch.set_num_threads(1)
    changes = {**VARIANTS[name], "epochs": 4, "early_stopping": None}
    recipe = Recipe.model_validate({**RECIPE, **changes})
    own = fitter(recipe)

    def recording(tape: Tape, **_: Any) -> Recording:
        moments = [value for state in own.optimiser.state.values() for value in state.values()]
        parameters = own.network.state_dict(keep_vars=True).values()
        means = own.average.mean.values() if own.average else ()
        return Recording(tape, [own.sums, *parameters, *moments, *means])

    monkeypatch.setattr(torch.cuda, "graph", recording)
    initial = weights(own)
    found = [(fit(own, fold, initial), weights(own)) for fold in range(3)]
    made = 3 + 4 if recordable(changes) else 4
    assert len(tapes) == made
    if recordable(changes):
        # All steps but those of the first epoch and the first of every other size.
        assert sum(tape.replays for tape in tapes) == 3 * 4 + (4 * 4 - 2) + (4 * 6 - 2)
    monkeypatch.setattr(cuda_graphs, "memory_pool", lambda device: None)
    plain = fitter(recipe)
    for fold, (history, end) in enumerate(found):
        assert fit(plain, fold, initial) == history
        assert all(torch.equal(value, end[name]) for name, value in weights(plain).items())
    assert len(tapes) == made, "nothing was recorded this time"
