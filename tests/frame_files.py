"""Rows of annotations and files of frames for the tests of the stage that brings them together."""

import logging
from pathlib import Path
from unittest.mock import patch

from fleeting.databases import reader
from fleeting.frames import select
from fleeting.frames.index import Index


def touch(root: Path, *names: str, content: bytes = b"x") -> None:
    """Files with some bytes."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def sample(
    database: str, subject: str, clip: str, onset: int, apex: object, offset: object, **extra: str
) -> dict[str, str]:
    """A row of annotations."""
    return {
        "sample": f"{database}/{subject}/{clip}/{onset}",
        "database": database,
        "subject": subject,
        "clip": clip,
        "onset": str(onset),
        "apex": str(apex),
        "offset": str(offset),
        "emotion": "disgust",
        "action_units": "4",
        "table": "t.xlsx",
        "table_row": "2",
        **extra,
    }


def select_frames(
    samples: list[dict[str, str]],
    within: int = 0,
    kind: str = "phases",
    selection: dict[str, object] | None = None,
    **settings: object,
) -> tuple[select.Result, Index]:
    """What the stage finds, given the database's settings (`reader`, `root`, ...).

    `selection` holds the keys of the selection of that kind, if it has some.
    """
    module = reader.load(str(settings["reader"]))
    block = module.Settings.model_validate(settings)
    want = select.wanted_by({"kind": kind, **(selection or {})})
    index = select.index_for(samples, want, block.frames_root)
    return select.select(samples, want, index, module, block, within), index


def warning(result: select.Result, index: Index, database: str, source: str = "raw") -> str:
    """What the stage says of images that were not found."""
    said: list[str] = []
    with patch.object(
        logging.Logger, "warning", lambda _, text, *values: said.append(text % values)
    ):
        select.warn(result, index, database, source, accepted=False)
    return "".join(said)
