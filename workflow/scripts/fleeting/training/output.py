"""The files of a job: history, predictions, models, and the metadata of how they were made."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.files import remove_unfinished, write_bytes, write_text
from fleeting.paths import sha256
from fleeting.splits.folds import FoldSubsets
from fleeting.training import predict
from fleeting.training import trace as traces
from fleeting.training.checkpoint import Checkpoints, State
from fleeting.training.state import as_bytes


@dataclass(frozen=True)
class Output:
    """Where a job writes.

    Attributes:
        history: history.tsv.
        predictions: predictions.tsv.
        metadata: run.json.
        models: a folder for fold{n}.pt, which is replaced.
        trace: trace.tsv; None: there is none.
    """

    history: Path
    predictions: Path
    metadata: Path
    models: Path
    trace: Path | None = None

    def is_result_of(self, key: str) -> bool:
        """Whether the job with this key wrote the files, all of them."""
        others = [self.history, self.predictions, self.models]
        others += [self.trace] if self.trace else []
        try:
            metadata = json.loads(self.metadata.read_text(encoding="utf-8"))
            return metadata["key"] == key and all(path.exists() for path in others)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def write(
        self,
        folds: Sequence[FoldSubsets],
        results: dict[int, State],
        metadata: dict[str, Any],
        checkpoints: Checkpoints,
        keep_models: bool,
    ) -> None:
        """Write history, predictions and models, each whole or not at all, and then the metadata.

        A run that failed has neither predictions nor models. The trace, if there is one, is an
        undeclared file beside the others; the metadata have its digest, for those who read it.
        """
        complete = [] if metadata["failed"] else folds
        history = [
            {"fold": fold.fold, **epoch}
            for fold in folds
            if fold.fold in results
            for epoch in results[fold.fold]["history"]
        ]
        predictions = [
            row
            for fold in complete
            for row in predict.rows(
                fold.fold, fold.test, results[fold.fold]["probabilities"], metadata["classes"]
            )
        ]
        self.metadata.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.metadata.parent)
        tsv.write_rows(history, self.history, tsv.HISTORY)
        tsv.write_rows(predictions, self.predictions, tsv.PREDICTIONS)
        shutil.rmtree(self.models, ignore_errors=True)
        self.models.mkdir(parents=True)
        for fold in complete if keep_models else ():
            state = checkpoints.finished(fold.fold)
            if state is None:
                raise UserError(
                    f"{checkpoints.folder}: the model of fold {fold.fold} is lost; rerun the same "
                    "command to train it again"
                )
            write_bytes(as_bytes(state["network"]), self.models / f"fold{fold.fold}.pt")
        if self.trace:
            trace = [
                row
                for fold in complete
                for row in traces.rows(
                    fold.fold, fold.test, results[fold.fold]["trace"], metadata["classes"]
                )
            ]
            tsv.write_rows(trace, self.trace, tsv.TRACE)
            metadata = {**metadata, "trace_sha256": sha256(self.trace)}
        else:
            # An earlier one, of the same run.
            (self.metadata.parent / "trace.tsv").unlink(missing_ok=True)
        write_text(json.dumps(metadata, indent=2) + "\n", self.metadata)
