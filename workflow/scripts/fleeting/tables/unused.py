"""Every example that the experiment does not use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fleeting import tsv
from fleeting.evaluation.render import Page, count_by

CAPTION = (
    "Every example outside the split, with its reason: first counted by reason, then one by one."
)
READS = {"unused": "experiments/{experiment}/unused.tsv"}
SETTINGS = ()


def make(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> tuple[pd.DataFrame, Page]:
    """The rows of unused.tsv, in its order (`tsv.UNUSED`)."""
    frame = tsv.read(files["unused"][0], tsv.UNUSED)
    page = Page(
        "Examples that the experiment does not use",
        "Every example outside the split. The split is made once, by its seed; nothing of it "
        "varied between repeats.",
        [
            ("By reason", count_by(frame, ["database", "reason"])),
            ("Every unused example", frame[["example", "emotion", "label", "reason", "detail"]]),
        ],
    )
    return frame, page
