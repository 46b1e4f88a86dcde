"""Every ordering that the paper claims, and when it holds in a repeat.

The paper reads its orderings off averaged curves. Here each is decided in every repeat as well:
repeat k of one configuration against repeat k of another, which share the split and nothing else.
Best, lowest, above and below are strict, so that a claim never holds for equal values.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from fleeting.evaluation.paper import CLASSES, LRS, MODELS, PAIR

#: Two accuracies are level up to this difference: .19 and .17 are "not far" in section 4.3.
LEVEL = 0.02
#: Two losses are level up to this difference (in nats); the paper gives no number.
LOSS_LEVEL = 0.05

#: The name of a value: its metric, and its model and rate, or its class.
Key = tuple[str, ...]
#: The value of a key, of one repeat or averaged over them.
Values = Callable[[Key], float]
Name = TypeVar("Name")

HIGH, MIDDLE, LOW = LRS
LAST, HIGHEST = "validation_accuracy", "highest_validation_accuracy"
F1 = "f1-score"
_LAST_EPOCH = "validation accuracy at the last epoch"
_STEADY = 1e-9


@dataclass(frozen=True)
class Claim:
    """An ordering, the values that it needs, and the rule that decides it."""

    where: str
    claim: str
    decided_by: str
    needs: tuple[Key, ...]
    holds: Callable[[Values], bool]
    #: How often it would hold if the values were in random order; None where that says nothing.
    by_chance: float | None


def all_claims() -> list[Claim]:
    """The paper's orderings: of models, of rates, of losses and of classes."""
    return [*_of_models(), *_of_rates(), *_of_losses(), *_of_classes()]


def _at(lr: str, metric: str = LAST) -> dict[str, Key]:
    """The key of each of the paper's models at one rate."""
    return {model: (metric, model, lr) for model in MODELS}


def _of_models() -> Iterator[Claim]:
    high, middle, low = _at(HIGH), _at(MIDDLE), _at(LOW)
    peak = _at(HIGH, HIGHEST)
    above_all_others = f"{_LAST_EPOCH}: each of the two above each other model"
    within = f"within {LEVEL}"
    figure_6 = "section 4.1, figure 6"
    yield Claim(
        figure_6,
        "at 1e-03 ResNet101 and ResNet152 are on top",
        above_all_others,
        tuple(high.values()),
        lambda value: _top(value, high, "resnet101", "resnet152"),
        1 / 10,
    )
    yield Claim(
        figure_6,
        "at 1e-03 ResNet152 became the top model",
        "highest validation accuracy of any epoch: above each other model",
        tuple(peak.values()),
        lambda value: _top(value, peak, "resnet152"),
        1 / 5,
    )
    yield Claim(
        figure_6,
        "at 1e-03 ResNet152 dropped to the accuracy of ResNet101",
        f"its last epoch more than {LEVEL} below its best, and {within} of ResNet101's last",
        (peak["resnet152"], high["resnet152"], high["resnet101"]),
        lambda value: _dropped_to(value, peak["resnet152"], high["resnet152"], high["resnet101"]),
        None,
    )
    yield Claim(
        figure_6,
        "at 1e-03 ResNet50 ends at ResNet18's level",
        f"{_LAST_EPOCH}: {within}",
        (high["resnet50"], high["resnet18"]),
        lambda value: _level(value(high["resnet50"]), value(high["resnet18"])),
        None,
    )
    figure_7 = "section 4.1, figure 7"
    yield Claim(
        figure_7,
        "at 1e-04 ResNet18 and ResNet101 are best",
        above_all_others,
        tuple(middle.values()),
        lambda value: _top(value, middle, "resnet18", "resnet101"),
        1 / 10,
    )
    yield Claim(
        figure_7,
        "at 1e-04 ResNet101 is the same as ResNet18",
        f"{_LAST_EPOCH}: {within}",
        (middle["resnet18"], middle["resnet101"]),
        lambda value: _level(value(middle["resnet18"]), value(middle["resnet101"])),
        None,
    )
    yield Claim(
        figure_7,
        "at 1e-04 ResNet152 is lowest",
        f"{_LAST_EPOCH}: below each other model",
        tuple(middle.values()),
        lambda value: _bottom(value, middle, "resnet152"),
        1 / 5,
    )
    figure_8 = "section 4.1, figure 8"
    yield Claim(
        figure_8,
        "at 1e-05 ResNet18 is best",
        f"{_LAST_EPOCH}: above each other model",
        tuple(low.values()),
        lambda value: _top(value, low, "resnet18"),
        1 / 5,
    )
    yield Claim(
        figure_8,
        "at 1e-05 ResNet152 is lowest",
        f"{_LAST_EPOCH}: below each other model",
        tuple(low.values()),
        lambda value: _bottom(value, low, "resnet152"),
        1 / 5,
    )


def _of_rates() -> Iterator[Claim]:
    high, middle, low = _at(HIGH), _at(MIDDLE), _at(LOW)
    every = {(model, lr): (LAST, model, lr) for lr in LRS for model in MODELS}

    def best(value: Values, keys: dict[str, Key]) -> float:
        return max(value(key) for key in keys.values())

    yield Claim(
        "section 4.1, figure 7",
        "the best accuracy at 1e-04 is below that at 1e-03 (the sentence is garbled; so read)",
        f"{_LAST_EPOCH}, highest of the models at each rate",
        (*high.values(), *middle.values()),
        lambda value: best(value, middle) < best(value, high),
        1 / 2,
    )
    yield Claim(
        "section 4.1, figure 8",
        "the best accuracy at 1e-05 is below those at the other rates",
        f"{_LAST_EPOCH}, highest of the models at each rate",
        tuple(every.values()),
        lambda value: best(value, low) < min(best(value, high), best(value, middle)),
        1 / 3,
    )
    yield Claim(
        "section 4.1",
        "over all rates ResNet18 performs best",
        f"{_LAST_EPOCH}, averaged over the three rates: above each other model",
        tuple(every.values()),
        lambda value: (
            sum(value(every["resnet18", lr]) for lr in LRS)
            > max(sum(value(every[model, lr]) for lr in LRS) for model in MODELS[1:]) + _STEADY
        ),
        1 / 5,
    )
    yield Claim(
        "section 4.3",
        "the best of all fifteen configurations is ResNet18 at 1e-05",
        f"{_LAST_EPOCH}: above each other configuration",
        tuple(every.values()),
        lambda value: _top(value, every, ("resnet18", LOW)),
        1 / 15,
    )


def _of_losses() -> Iterator[Claim]:
    def key(metric: str, lr: str) -> Key:
        return (metric, "resnet18", lr)

    training = {lr: key("train_accuracy", lr) for lr in LRS}
    yield Claim(
        "section 4.2, figure 9",
        "ResNet18's training accuracy is highest at 1e-03",
        "training accuracy at the last epoch: above each other rate",
        tuple(training.values()),
        lambda value: _top(value, training, HIGH),
        1 / 3,
    )
    overfit = tuple(
        key(metric, HIGH) for metric in ("validation_loss", "lowest_validation_loss", "train_loss")
    )
    yield Claim(
        "section 4.2, figure 10",
        "ResNet18 overfits at 1e-03",
        f"last validation loss more than {LOSS_LEVEL} above its lowest of all epochs and above "
        "the last training loss",
        overfit,
        lambda value: value(overfit[0]) > max(value(overfit[1]), value(overfit[2])) + LOSS_LEVEL,
        None,
    )
    slow, fast = key("train_loss", MIDDLE), key("train_loss", HIGH)
    yield Claim(
        "section 4.2, figure 10",
        "at 1e-04 ResNet18 learns less than at 1e-03",
        "training loss at the last epoch: above that at 1e-03",
        (slow, fast),
        lambda value: value(slow) > value(fast),
        1 / 2,
    )
    ends = key("train_loss", LOW), key("validation_loss", LOW)
    yield Claim(
        "sections 4.2 and 4.3, figure 10",
        "at 1e-05 ResNet18's validation loss is close to its training loss",
        f"losses at the last epoch: within {LOSS_LEVEL}",
        ends,
        lambda value: abs(value(ends[0]) - value(ends[1])) <= LOSS_LEVEL + _STEADY,
        None,
    )
    test, validation = key("test_accuracy", LOW), key(LAST, LOW)
    yield Claim(
        "section 4.3",
        "the test accuracy is not far from the validation accuracy",
        f"ResNet18 at 1e-05, after the last epoch: within {LEVEL}",
        (validation, test),
        lambda value: _level(value(test), value(validation)),
        None,
    )


def _of_classes() -> Iterator[Claim]:
    scores: dict[str, Key] = {label: (F1, label) for label in CLASSES}
    where = "section 4.3, table 2"
    decided_by = "f1-score on the test images of ResNet18 at 1e-05: "
    needs = tuple(scores.values())
    yield Claim(
        where,
        "happiness is the lowest class",
        decided_by + "below each other class",
        needs,
        lambda value: _bottom(value, scores, "happiness"),
        1 / 6,
    )
    yield Claim(
        where,
        "tense is the highest class",
        decided_by + "above each other class",
        needs,
        lambda value: _top(value, scores, "tense"),
        1 / 6,
    )

    def closest(value: Values) -> bool:
        gaps = {
            pair: abs(value(scores[pair[0]]) - value(scores[pair[1]]))
            for pair in combinations(CLASSES, 2)
        }
        return all(gaps[PAIR] + _STEADY < gap for pair, gap in gaps.items() if pair != PAIR)

    yield Claim(
        where,
        "happiness and surprise are the closest pair (not so in the paper's own table)",
        decided_by + "their difference below that of each other pair",
        needs,
        closest,
        1 / 15,
    )


def _top(value: Values, keys: Mapping[Name, Key], *names: Name) -> bool:
    others = max(value(key) for name, key in keys.items() if name not in names)
    return all(value(keys[name]) > others + _STEADY for name in names)


def _bottom(value: Values, keys: Mapping[Name, Key], name: Name) -> bool:
    return all(
        value(keys[name]) + _STEADY < value(key) for other, key in keys.items() if other != name
    )


def _level(one: float, other: float) -> bool:
    return abs(one - other) <= LEVEL + _STEADY


def _dropped_to(value: Values, best: Key, last: Key, level: Key) -> bool:
    return value(best) - value(last) > LEVEL + _STEADY and _level(value(last), value(level))
