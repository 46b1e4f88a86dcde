"""What an experiment's runs give for the paper's statements."""

from collections.abc import Sequence

from fleeting.evaluation import paper, schemas
from fleeting.evaluation.claims import F1, Key
from fleeting.evaluation.paper import PAPER_LR, PAPER_MODEL
from fleeting.evaluation.report import rows_of_report
from fleeting.evaluation.results import Summary
from fleeting.evaluation.spread import share

RUN_METRICS = (
    *schemas.HISTORY_METRICS,
    "lowest_validation_loss",
    "highest_validation_accuracy",
)


class Measured:
    """Every value that a statement of the paper may need, by repeat.

    A grid's rate stands for the paper's rate of the same value, however it is written.

    Attributes:
        by_repeat: the values under the paper's rates: key to repeat to value.
    """

    def __init__(self, summary: Summary) -> None:
        """Gather the values."""
        self.summary = summary
        self.by_repeat: dict[Key, dict[int, float]] = {}
        rates = {
            lr: stated for lr in summary.lrs for stated in paper.LRS if float(lr) == float(stated)
        }
        self._paper_lr = next((lr for lr, stated in rates.items() if stated == PAPER_LR), "")
        for (model, lr), runs in summary.runs.groupby(["model", "lr"], sort=False):
            if lr in rates:
                for metric in RUN_METRICS:
                    values = dict(zip(runs["repeat"], runs[metric], strict=True))
                    self.by_repeat[metric, str(model), rates[lr]] = values
                self.by_repeat["test_accuracy", str(model), rates[lr]] = summary.values(
                    str(model), str(lr)
                )["all", "accuracy"]
        for name in summary.classes:
            scores = self.reported(PAPER_MODEL, self._paper_lr, name, F1)
            if scores:
                self.by_repeat[F1, name] = scores

    def reported(self, model: str, lr: str, row: str, column: str) -> dict[int, float]:
        """One cell of the classification report, by repeat; empty if the grid lacks it."""
        return rows_of_report(self.summary, model, lr).get((row, column), {})

    def of_paper(self, row: str, column: str) -> dict[int, float]:
        """The same for the paper's model and rate."""
        return self.reported(PAPER_MODEL, self._paper_lr, row, column)

    def missing(self, needs: Sequence[Key]) -> list[Key]:
        """The configurations or classes that this experiment lacks."""
        lacking = [key for key in needs if key not in self.by_repeat]
        has_papers = ("test_accuracy", PAPER_MODEL, PAPER_LR) in self.by_repeat
        if lacking and len(lacking[0]) == 2 and not has_papers:
            return [("", PAPER_MODEL, PAPER_LR)]
        return lacking

    def guessing(self, row: str, column: str) -> str:
        """The expected value of guessing every class equally often, for reading."""
        recall = self.summary.chance
        if column in ("accuracy", "recall"):
            return share(recall)
        support = self.summary.support
        if row not in support:
            return ""
        precision = support[row] / sum(support.values())
        total = precision + recall
        return share(precision if column == "precision" else 2 * precision * recall / total)
