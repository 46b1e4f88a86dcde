"""Recorded steps, without a GPU: a tape stands in for a CUDA graph.

Like a graph it holds which operation ran on which memory, and with which Python numbers; replaying
runs these again on the same memory and nothing of Python. What a graph cannot do, the tape refuses.
"""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fleeting.training import replay
from fleeting.training.fit import Epoch, Fitter
from fleeting.training.recipe import Recipe
from small_runs import ARRAYS, CLASSES, NETWORK, RECIPE, filled, side, store


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
                pairs = zip(
                    tree_leaves(result),
                    tree_leaves(operation(*arguments, **options)),
                    strict=True,
                )
                for place, value in pairs:
                    if isinstance(place, torch.Tensor) and place.data_ptr() != value.data_ptr():
                        place.copy_(value)


class Recording:
    """Stands in for `torch.cuda.graph`: what runs inside is recorded, and must not happen."""

    def __init__(self, tape: Tape, kept: list[torch.Tensor], **_: Any) -> None:
        self.tape, self.kept = tape, kept

    def __enter__(self) -> None:
        # A graph records without running anything; the tape runs it and puts everything back.
        self.before = [value.detach().clone() for value in self.kept]
        self.random = torch.get_rng_state()
        self.tape.__enter__()

    def __exit__(self, *error: Any) -> None:
        self.tape.__exit__(*error)
        for value, before in zip(self.kept, self.before, strict=True):
            value.detach().copy_(before)
        torch.set_rng_state(self.random)


FOLDS = (
    (side(*range(10)), side(10, 11, 12)),
    (side(*range(3, 14)), side(0, 1)),
    (side(*range(5, 19)), side(1, 2, 3, 4, 20)),
)


def fitter(recipe: Recipe) -> Fitter:
    torch.manual_seed(5)
    network = torch.nn.Sequential(NETWORK.build(2), torch.nn.Dropout(0.2))
    network.to(memory_format=torch.channels_last)
    parts = [filled(fold[place], capacity=15) for place, fold in enumerate(FOLDS[:1] * 2)]
    return Fitter(network, NETWORK, ARRAYS, *parts, 0.01, recipe, "fp32")


def fold(own: Fitter, number: int, weights: dict[str, torch.Tensor]) -> list[Epoch]:
    training, validation = FOLDS[number]
    torch.manual_seed(number)
    state = own.start(weights, number)
    own.training.fill(store(), training, CLASSES)
    own.validation.fill(store(), validation, CLASSES)
    return own.fit(state, lambda _: None)


@pytest.fixture
def tapes(monkeypatch: pytest.MonkeyPatch) -> list[Tape]:
    """Every step is recorded from now on as on CUDA; returns the recordings."""
    made: list[Tape] = []
    monkeypatch.setattr(Tape, "made", made)
    monkeypatch.setattr(replay, "shared_memory", lambda device: "memory")
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Tape)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: None)
    return made


def all_tensors(own: Fitter) -> list[torch.Tensor]:
    """Everything that a step changes."""
    moments = [value for state in own.optimiser.state.values() for value in state.values()]
    return [own.sums, *own.network.state_dict(keep_vars=True).values(), *moments]


def everything(own: Fitter) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in own.network.state_dict().items()}


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": "cosine"},
        {"schedule": {"kind": "cosine", "warmup": 0.4}, "optimiser": "adamw"},
        {"optimiser": {"kind": "sgd", "momentum": 0.9}, "accumulation": 2},
        {"augmentations": ["horizontal_flip", {"kind": "shift", "pixels": 3}]},
    ],
    ids=str,
)
def test_recorded_steps_do_what_the_steps_do_in_every_fold(
    changes: dict[str, Any], tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other rates, other examples, other sizes: the same bytes as one step after the other."""
    torch.set_num_threads(1)
    recipe = Recipe.model_validate({**RECIPE, "epochs": 4, **changes})
    own = fitter(recipe)
    monkeypatch.setattr(torch.cuda, "graph", lambda tape, **_: Recording(tape, all_tensors(own)))
    initial = everything(own)
    found = [(fold(own, number, initial), everything(own)) for number in range(3)]
    # Ten, eleven and fourteen training examples in batches of four: sizes 4, 2, 3. Validation: 3;
    # 2; 4 and 1.
    assert len(tapes) == 3 + 4
    assert all(tape.replays for tape in tapes)
    steps = sum(tape.replays for tape in tapes)
    monkeypatch.setattr(replay, "shared_memory", lambda device: None)
    plain = fitter(recipe)
    for number, (history, weights) in enumerate(found):
        assert fold(plain, number, initial) == history
        assert all(torch.equal(value, weights[name]) for name, value in everything(plain).items())
    assert sum(tape.replays for tape in tapes) == steps, "nothing was replayed this time"


def test_a_size_runs_once_before_it_is_recorded(
    tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    total = torch.zeros(())
    calls = []

    def step(batch: torch.Tensor) -> None:
        calls.append(len(batch))
        total.add_(batch.sum())

    monkeypatch.setattr(torch.cuda, "graph", lambda tape, **_: Recording(tape, [total]))
    replayed = replay.Replayed(step, "memory")
    sizes = []
    for size, record in [(4, False), (4, False), (4, True), (2, True), (2, True), (4, True)]:
        replayed(torch.ones(size), record)
        sizes.append(size)
        assert total == sum(sizes)
    assert calls == [4, 4, 4, 2, 2], "the last but one of each size is recorded"
    assert [tape.replays for tape in tapes] == [2, 1]


def test_a_python_number_would_stay_what_it_was(
    tapes: list[Tape], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the tape is good for: as in a CUDA graph, only a rate in a tensor changes."""
    place, rate, number = torch.zeros(2), torch.tensor(1.0), 1.0

    def step(batch: torch.Tensor) -> None:
        place.copy_(torch.stack([rate * 1, torch.full((), number)]))

    monkeypatch.setattr(torch.cuda, "graph", lambda tape, **_: Recording(tape, [place]))
    replayed = replay.Replayed(step, "memory")
    for value in (1.0, 2.0, 3.0):
        rate.fill_(value)
        number = value
        replayed(torch.ones(1), True)
    assert place.tolist() == [3.0, 2.0]
