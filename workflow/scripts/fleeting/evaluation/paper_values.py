"""What the paper states, as printed."""

from collections.abc import Iterable

#: Section 4.3, table 2: class to precision, recall and f1-score on the test images, for
#: ResNet18 at 1e-05. The paper prints `Other` for others.
TABLE_2 = {
    "disgust": (0.10, 0.18, 0.12),
    "happiness": (0.08, 0.06, 0.06),
    "others": (0.12, 0.17, 0.13),
    "repression": (0.14, 0.21, 0.14),
    "surprise": (0.14, 0.11, 0.09),
    "tense": (0.18, 0.29, 0.16),
}
METRICS = ("precision", "recall", "f1-score")
#: Table 2's last row; it prints the accuracy in all three columns.
TEST_ACCURACY = 0.17
#: Section 4.3: "the validation accuracy is around 19% on the validation dataset".
VALIDATION_ACCURACY = 0.19
#: Section 3 (figure 4's text): the classes, where table 2 has surprise for sadness.
FIGURE_4_CLASSES = ("disgust", "sadness", "happiness", "tense", "repression", "others")
CLASSES = tuple(TABLE_2)
MODELS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
LRS = ("1e-03", "1e-04", "1e-05")
#: Section 4.3, the paper's own choice: "the ResNet18 with the learning rate of 0.00001".
PAPER_MODEL, PAPER_LR = "resnet18", "1e-05"
#: Section 4.3: the two classes of table 3.
PAIR = ("happiness", "surprise")


def table_2(row: str, metric: str) -> float | None:
    """The paper's value of one cell of table 2, None where it prints none."""
    if row in TABLE_2 and metric in METRICS:
        return TABLE_2[row][METRICS.index(metric)]
    return TEST_ACCURACY if (row, metric) == ("accuracy", "accuracy") else None


def paper_name(model: str) -> str:
    """A model's name as the paper writes it: `resnet18` is ResNet18; others stay as they are."""
    return model.replace("resnet", "ResNet", 1) if model.startswith("resnet") else model


def rate_in(lrs: Iterable[str], stated: str) -> str:
    """A grid's rate of the same value as one of the paper's; empty if it has none."""
    return next((lr for lr in lrs if float(lr) == float(stated)), "")
