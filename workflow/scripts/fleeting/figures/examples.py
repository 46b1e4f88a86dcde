"""Which image stands for a database in the figure of the cropping step."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation.collected import read
from fleeting.figures.permission import ShowFaces, may_show


@dataclass(frozen=True)
class Example:
    """One frame and the crop cut from it.

    `frame` is relative to `root`, `crop` to the results folder; the box is x0, y0, x1, y1 in
    pixels of the frame; the confidence is NaN where nothing was detected.
    """

    image: str
    root: Path
    frame: str
    crop: str
    box: tuple[float, float, float, float]
    confidence: float
    detector: str
    shown: bool


def find(
    results: Path,
    crop: str,
    folders: Mapping[str, Path],
    show_faces: ShowFaces,
    synthetic: Collection[str],
) -> list[Example]:
    """One example a database that has crops, in the given order.

    Images that may be shown come first, then apex frames, then plainly detected faces, then the
    first by name.

    Args:
        results: the results folder.
        crop: the name of the crop settings.
        folders: the folder that the paths of a database's frames are relative to, by database.
        show_faces: the config's value.
        synthetic: the databases whose faces this project drew itself.
    """
    found = []
    for database, folder in folders.items():
        faces = read(results / "faces" / crop / f"{database}.tsv", tables.FACES)
        if faces.empty:
            continue
        shown = [may_show(image, show_faces, synthetic) for image in faces["image"]]
        ranked = faces.assign(
            hidden=[not allowed for allowed in shown],
            other_phase=~faces["image"].str.endswith("/apex"),
            other_outcome=faces["outcome"] != "face",
        ).sort_values(["hidden", "other_phase", "other_outcome", "image"])
        row = ranked.iloc[0]
        frames = tables.read(results / "frames" / f"{database}.tsv", tables.FRAMES)
        paths = frames.loc[frames["image"] == row["image"], "path"]
        if paths.empty:
            raise UserError(
                f"{row['image']} has a crop but no frame; delete the results of {database} and "
                "run again"
            )
        found.append(
            Example(
                image=row["image"],
                root=folder,
                frame=paths.iloc[0],
                crop=row["path"],
                box=(row["x0"], row["y0"], row["x1"], row["y1"]),
                confidence=row["confidence"],
                detector=row["detector"],
                shown=not row["hidden"],
            )
        )
    return found
