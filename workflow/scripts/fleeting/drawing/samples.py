"""Who and what a sample is, for captions: names are joined, never parsed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleeting import tsv
from fleeting.drawing import style


@dataclass(frozen=True)
class Sample:
    """A row of the annotations."""

    database: str
    subject: str
    clip: str

    def caption(self, phase: str) -> str:
        """Subject, clip and phase; a picture of the whole clip has no phase."""
        return ", ".join(part for part in (self.subject, self.clip, phase) if part)

    @property
    def database_title(self) -> str:
        """The database's name as its authors write it."""
        return style.database_title(self.database)


def read(paths: Sequence[Path]) -> dict[str, Sample]:
    """The samples of the databases' annotations (`tsv.ANNOTATIONS`) by name."""
    return {
        row["sample"]: Sample(row["database"], row["subject"], row["clip"])
        for path in paths
        for row in tsv.read_rows(path, tsv.ANNOTATIONS)
    }
