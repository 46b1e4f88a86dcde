"""The files of a job: history, predictions, models, and the record of how they were made."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.files import remove_unfinished, write_bytes, write_text
from fleeting.splits.roles import FoldRoles
from fleeting.training import predict
from fleeting.training.checkpoint import Checkpoints, State
from fleeting.training.state import as_bytes


@dataclass(frozen=True)
class Output:
    """Where a job writes.

    Attributes:
        history: history.tsv.
        predictions: predictions.tsv.
        record: run.json.
        models: a folder for fold{n}.pt; None: no folder.
        keep_models: whether the folder receives any.
    """

    history: Path
    predictions: Path
    record: Path
    models: Path | None
    keep_models: bool

    def is_finished(self, key: str) -> bool:
        """Whether these files are the results of this very job."""
        wanted = [self.history, self.predictions, *([self.models] if self.models else [])]
        try:
            return all(path.exists() for path in wanted) and bool(
                json.loads(self.record.read_text(encoding="utf-8"))["key"] == key
            )
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def write(
        self,
        folds: Sequence[FoldRoles],
        results: dict[int, State],
        record: dict[str, Any],
        kept: Checkpoints,
    ) -> None:
        """Write history, predictions and models, each whole or not at all, and then the record.

        Of a run that failed there are neither predictions nor models.
        """
        history = [
            {"fold": fold.fold, **epoch}
            for fold in folds
            if fold.fold in results
            for epoch in results[fold.fold]["history"]
        ]
        predictions = [
            row
            for fold in folds
            if not record["failed"]
            for row in predict.rows(
                fold.fold, fold.test, results[fold.fold]["probabilities"], record["classes"]
            )
        ]
        self.record.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.record.parent)
        tsv.write_rows(history, self.history, tsv.HISTORY)
        tsv.write_rows(predictions, self.predictions, tsv.PREDICTIONS)
        if self.models:
            shutil.rmtree(self.models, ignore_errors=True)
            self.models.mkdir(parents=True)
            for fold in folds if self.keep_models and not record["failed"] else ():
                model = kept.finished(fold.fold)
                if model is None:
                    raise UserError(
                        f"{kept.folder}: the model of fold {fold.fold} is lost; rerun the same "
                        "command"
                    )
                write_bytes(as_bytes(model["network"]), self.models / f"fold{fold.fold}.pt")
        write_text(json.dumps(record, indent=2) + "\n", self.record)
