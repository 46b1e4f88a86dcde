"""A classification report, as the paper's table 2 prints one, put together from scores."""

from fleeting.evaluation.results import Summary

#: Columns of a report and the metric that each is; of one class against the rest, the average over
#: classes is the class's value.
COLUMNS = {"precision": "precision", "recall": "uar", "f1-score": "uf1", "support": "support"}
Report = dict[tuple[str, str], dict[int, float]]


def rows_of_report(summary: Summary, model: str, lr: str) -> Report:
    """Each cell of a configuration's report by repeat: (row, column) to repeat to value.

    The rows are the classes, `accuracy`, `macro avg` (over the classes with test examples) and
    `weighted avg` (of the classes' values, weighted by their support). Empty where the grid lacks
    the configuration.
    """
    report: Report = {}
    values = summary.values(model, lr)
    if not values:
        return report
    for name in summary.classes:
        for column, metric in COLUMNS.items():
            report[name, column] = values[f"class/{name}", metric]
    report["accuracy", "accuracy"] = values["all", "accuracy"]
    for column, metric in COLUMNS.items():
        report["macro avg", column] = values["all", metric]
    support = values["all", "support"]
    for column in COLUMNS:
        report["weighted avg", column] = (
            support
            if column == "support"
            else {
                repeat: sum(
                    report[name, column][repeat] * report[name, "support"][repeat]
                    for name in summary.classes
                )
                / total
                for repeat, total in support.items()
            }
        )
    return report
