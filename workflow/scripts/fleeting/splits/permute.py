"""Labels without a meaning: the control that a score is compared with.

An experiment with permuted labels has the examples, the protocol and the training of another, and
what it scores is what its protocol, its choices and the class frequencies give without any face.
"""

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fleeting.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[np.object_]


class PermuteLabels(Settings):
    """The keys of `permute_labels`."""

    unit: Literal["example", "clip", "subject"] = Field(
        description="What stays together. example: the labels of single examples are permuted "
        "within their database; clip: those of samples, with all their examples, over everything; "
        "subject: the sequences of subjects' labels, within their database.",
    )
    seed: int = Field(1, ge=0, le=2**32 - 1, description="Decides which labels go where.")


def describe(unit: str) -> str:
    """The control for reading."""
    return f"labels permuted by {unit}"


def permuted(examples: "pd.DataFrame", settings: PermuteLabels) -> "pd.DataFrame":
    """Examples with permuted labels.

    By `example`, each database keeps its number of examples of each class; by `clip`, the whole
    keeps its number of samples of each class; by `subject`, each database does, and labels that
    belong to one person stay side by side: the persons' labels are concatenated in a random order
    and laid over the samples of the persons in another, so that a person's labels are as alike as
    before.

    Args:
        examples: sorted by example, with the columns of `tsv.EXAMPLES`, `person` and `label`.
        settings: the experiment's.
    """
    generator = np.random.default_rng(settings.seed)
    if settings.unit == "example":
        labels = examples["label"].to_numpy(dtype=object, copy=True)
        for places in _places(examples["database"]):
            labels[places] = generator.permutation(labels[places])
        return examples.assign(label=labels)
    # All examples of a sample have its label.
    samples = examples.drop_duplicates("sample").reset_index(drop=True)
    labels = samples["label"].to_numpy(dtype=object, copy=True)
    if settings.unit == "clip":
        labels = generator.permutation(labels)
    else:
        for places in _places(samples["database"]):
            labels[places] = _laid_over(samples.iloc[places], generator)
    of_sample = dict(zip(samples["sample"], labels, strict=True))
    return examples.assign(label=examples["sample"].map(of_sample))


def _laid_over(samples: "pd.DataFrame", generator: np.random.Generator) -> Labels:
    """The labels of a database's samples, in the order of these."""
    persons = _places(samples["person"])
    taken, given = (
        np.concatenate([persons[place] for place in generator.permutation(len(persons))])
        for _ in range(2)
    )
    labels = samples["label"].to_numpy(dtype=object)
    laid = labels.copy()
    laid[given] = labels[taken]
    return laid


def _places(names: "pd.Series") -> list[NDArray[np.intp]]:
    """The places of each name, by name."""
    values = names.to_numpy()
    return [np.flatnonzero(values == name) for name in sorted(set(values))]
