"""Every number that the paper states, and what an experiment has in its place."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleeting.evaluation import paper_values
from fleeting.evaluation.choices import configuration_title
from fleeting.evaluation.paper_values import PAPER_LR, PAPER_MODEL
from fleeting.evaluation.summary import Summary, of_configuration

#: The configuration that all of them are about.
PAPER_CONFIGURATION = configuration_title(PAPER_MODEL, PAPER_LR)
#: Half a unit of the paper's last digit: it prints two.
ROUNDING = 0.005


@dataclass(frozen=True)
class StatedNumber:
    """A number: where it stands, what it is, and its value.

    `row` and `column` name it in a classification report; the validation accuracy has none.
    """

    where: str
    claim: str
    stated: float
    row: str = ""
    column: str = ""

    def values(self, summary: Summary, model: str, lr: str) -> dict[int, float]:
        """What a configuration of an experiment has, by repeat; empty if it lacks it."""
        if self.row:
            return summary.report(model, lr).get((self.row, self.column), {})
        runs = of_configuration(summary.runs, model, lr)
        return dict(zip(runs["repeat"], runs["validation_accuracy"], strict=True))

    def within(self, low: float, high: float) -> bool:
        """Whether the paper's value is from `low` to `high`, up to its rounding."""
        return low - ROUNDING <= self.stated <= high + ROUNDING


def stated_numbers() -> Iterator[StatedNumber]:
    """All of them, in the order of the paper."""
    yield StatedNumber(
        "section 4.3",
        f"validation accuracy of {PAPER_CONFIGURATION}",
        paper_values.VALIDATION_ACCURACY,
    )
    yield StatedNumber(
        "abstract, table 2, section 4.3",
        f"test accuracy, {PAPER_CONFIGURATION}",
        paper_values.TEST_ACCURACY,
        "accuracy",
        "accuracy",
    )
    for name, stated in paper_values.TABLE_2.items():
        where = "table 2, section 4.3" if name in ("happiness", "tense") else "table 2"
        for column, value in zip(paper_values.METRICS, stated, strict=True):
            claim = f"{column} of {name} on the test images, {PAPER_CONFIGURATION}"
            yield StatedNumber(where, claim, value, name, column)
