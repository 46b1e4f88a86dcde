"""Every ordering that the paper claims, and when it holds in a repeat.

The paper reads its orderings off averaged curves. Here each is decided in every repeat as well:
repeat k of one configuration against repeat k of another, which share the split and nothing else.
Above and below are strict, so that a claim never holds for equal values.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, isnan

from fleeting.evaluation.paper_values import CLASSES, LRS, MODELS, PAIR

#: The name of a value: its metric, and its model and rate, or its class.
Key = tuple[str, ...]

#: Two accuracies are level up to this difference: .19 and .17 are "not far" in section 4.3.
LEVEL = 0.02
#: Two losses are level up to this difference (in nats); the paper gives no number.
LOSS_LEVEL = 0.05
#: Differences up to this one are rounding errors.
ROUNDING = 1e-9

HIGH, MIDDLE, LOW = LRS
LAST, PEAK = "validation_accuracy", "highest_validation_accuracy"
FIGURE_6, FIGURE_7, FIGURE_8 = (f"section 4.1, figure {number}" for number in (6, 7, 8))
FIGURE_10, TABLE_2 = "section 4.2, figure 10", "section 4.3, table 2"
_LAST_EPOCH = "validation accuracy at the last epoch"
_F1 = "f1-score on the test images of ResNet18 at 1e-05"


@dataclass(frozen=True)
class Claim:
    """An ordering, the values that it needs, and the rule that decides it from them, in order."""

    where: str
    claim: str
    decided_by: str
    needs: tuple[Key, ...]
    rule: Callable[..., bool]
    #: How often it would hold if the values were in random order; None where that says nothing.
    by_chance: float | None = None

    def holds(self, values: Mapping[Key, float]) -> bool:
        """Whether it holds; with a NaN (a run that diverged) among its values it does not."""
        found = [values[key] for key in self.needs]
        return not any(map(isnan, found)) and self.rule(*found)


@dataclass(frozen=True)
class Compared:
    """What is compared: a metric of each of several, combined where there are several values."""

    metric: str
    noun: str
    keys: Mapping[str, Sequence[Key]]
    combine: Callable[[Iterable[float]], float] = max


def highest(
    where: str,
    claim: str,
    compared: Compared,
    *names: str,
    lowest: bool = False,
    decided_by: str = "",
) -> Claim:
    """Each of `names` lies above (with `lowest`: below) all others that are compared."""
    needs = tuple(dict.fromkeys(key for keys in compared.keys.values() for key in keys))

    def rule(*found: float) -> bool:
        values = dict(zip(needs, found, strict=True))
        combined = {
            name: compared.combine(values[key] for key in keys) * (-1 if lowest else 1)
            for name, keys in compared.keys.items()
        }
        others = max(value for name, value in combined.items() if name not in names)
        return all(combined[name] > others + ROUNDING for name in names)

    each = "each of the two " if len(names) == 2 else ""
    side = "below" if lowest else "above"
    text = decided_by or f"{compared.metric}: {each}{side} each other {compared.noun}"
    return Claim(where, claim, text, needs, rule, 1 / comb(len(compared.keys), len(names)))


def level(one: float, other: float) -> bool:
    """Whether two accuracies are level."""
    return abs(one - other) <= LEVEL + ROUNDING


def difference(values: Iterable[float]) -> float:
    """How far two values lie apart."""
    one, other = values
    return abs(one - other)


AT_HIGH, AT_MIDDLE, AT_LOW = (
    Compared(_LAST_EPOCH, "model", {model: [(LAST, model, lr)] for model in MODELS}) for lr in LRS
)
PEAKS_AT_HIGH = Compared(
    "highest validation accuracy of any epoch",
    "model",
    {model: [(PEAK, model, HIGH)] for model in MODELS},
)
OVER_ALL_RATES = Compared(
    f"{_LAST_EPOCH}, averaged over the three rates",
    "model",
    {model: [(LAST, model, lr) for lr in LRS] for model in MODELS},
    combine=sum,
)
CONFIGURATIONS = Compared(
    _LAST_EPOCH,
    "configuration",
    {f"{model} at {lr}": [(LAST, model, lr)] for lr in LRS for model in MODELS},
)
BEST_AT_RATE = {lr: [(LAST, model, lr) for model in MODELS] for lr in LRS}
F1_SCORES = Compared(_F1, "class", {label: [("f1-score", label)] for label in CLASSES})


def of_resnet18(metric: str, *lrs: str) -> dict[str, list[Key]]:
    """A value of ResNet18 at each of several rates."""
    return {lr: [(metric, "resnet18", lr)] for lr in lrs}


CLAIMS = (
    highest(
        FIGURE_6, "at 1e-03 ResNet101 and ResNet152 are on top", AT_HIGH, "resnet101", "resnet152"
    ),
    highest(FIGURE_6, "at 1e-03 ResNet152 became the top model", PEAKS_AT_HIGH, "resnet152"),
    Claim(
        FIGURE_6,
        "at 1e-03 ResNet152 dropped to the accuracy of ResNet101",
        f"its last epoch more than {LEVEL} below its best, and within {LEVEL} of ResNet101's last",
        ((PEAK, "resnet152", HIGH), (LAST, "resnet152", HIGH), (LAST, "resnet101", HIGH)),
        lambda best, last, other: best - last > LEVEL + ROUNDING and level(last, other),
    ),
    Claim(
        FIGURE_6,
        "at 1e-03 ResNet50 ends at ResNet18's level",
        f"{_LAST_EPOCH}: within {LEVEL}",
        ((LAST, "resnet50", HIGH), (LAST, "resnet18", HIGH)),
        level,
    ),
    highest(
        FIGURE_7, "at 1e-04 ResNet18 and ResNet101 are best", AT_MIDDLE, "resnet18", "resnet101"
    ),
    Claim(
        FIGURE_7,
        "at 1e-04 ResNet101 is the same as ResNet18",
        f"{_LAST_EPOCH}: within {LEVEL}",
        ((LAST, "resnet18", MIDDLE), (LAST, "resnet101", MIDDLE)),
        level,
    ),
    highest(FIGURE_7, "at 1e-04 ResNet152 is lowest", AT_MIDDLE, "resnet152", lowest=True),
    highest(FIGURE_8, "at 1e-05 ResNet18 is best", AT_LOW, "resnet18"),
    highest(FIGURE_8, "at 1e-05 ResNet152 is lowest", AT_LOW, "resnet152", lowest=True),
    highest(
        FIGURE_7,
        "the best accuracy at 1e-04 is below that at 1e-03 (the sentence is garbled; so read)",
        Compared(_LAST_EPOCH, "rate", {lr: BEST_AT_RATE[lr] for lr in (HIGH, MIDDLE)}),
        MIDDLE,
        lowest=True,
        decided_by=f"{_LAST_EPOCH}, highest of the models at each rate",
    ),
    highest(
        FIGURE_8,
        "the best accuracy at 1e-05 is below those at the other rates",
        Compared(_LAST_EPOCH, "rate", BEST_AT_RATE),
        LOW,
        lowest=True,
        decided_by=f"{_LAST_EPOCH}, highest of the models at each rate",
    ),
    highest("section 4.1", "over all rates ResNet18 performs best", OVER_ALL_RATES, "resnet18"),
    highest(
        "section 4.3",
        "the best of all fifteen configurations is ResNet18 at 1e-05",
        CONFIGURATIONS,
        "resnet18 at 1e-05",
    ),
    highest(
        "section 4.2, figure 9",
        "ResNet18's training accuracy is highest at 1e-03",
        Compared(
            "training accuracy at the last epoch", "rate", of_resnet18("train_accuracy", *LRS)
        ),
        HIGH,
    ),
    Claim(
        FIGURE_10,
        "ResNet18 overfits at 1e-03",
        f"last validation loss more than {LOSS_LEVEL} above its lowest of all epochs and above "
        "the last training loss",
        tuple(
            (metric, "resnet18", HIGH)
            for metric in ("validation_loss", "lowest_validation_loss", "train_loss")
        ),
        lambda last, lowest, training: last > max(lowest, training) + LOSS_LEVEL,
    ),
    highest(
        FIGURE_10,
        "at 1e-04 ResNet18 learns less than at 1e-03",
        Compared("training loss", "rate", of_resnet18("train_loss", MIDDLE, HIGH)),
        MIDDLE,
        decided_by="training loss at the last epoch: above that at 1e-03",
    ),
    Claim(
        "sections 4.2 and 4.3, figure 10",
        "at 1e-05 ResNet18's validation loss is close to its training loss",
        f"losses at the last epoch: within {LOSS_LEVEL}",
        (("train_loss", "resnet18", LOW), ("validation_loss", "resnet18", LOW)),
        lambda training, validation: abs(training - validation) <= LOSS_LEVEL + ROUNDING,
    ),
    Claim(
        "section 4.3",
        "the test accuracy is not far from the validation accuracy",
        f"ResNet18 at 1e-05, after the last epoch: within {LEVEL}",
        ((LAST, "resnet18", LOW), ("test_accuracy", "resnet18", LOW)),
        level,
    ),
    highest(TABLE_2, "happiness is the lowest class", F1_SCORES, "happiness", lowest=True),
    highest(TABLE_2, "tense is the highest class", F1_SCORES, "tense"),
    highest(
        TABLE_2,
        "happiness and surprise are the closest pair (not so in the paper's own table)",
        Compared(
            _F1,
            "pair",
            {f"{a}, {b}": [("f1-score", a), ("f1-score", b)] for a, b in combinations(CLASSES, 2)},
            combine=difference,
        ),
        ", ".join(PAIR),
        lowest=True,
        decided_by=f"{_F1}: their difference below that of each other pair",
    ),
)
