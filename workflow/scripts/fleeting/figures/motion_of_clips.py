"""What moves in one clip of each class: its motion as colours and as arrows, and its strain."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from fleeting import tsv
from fleeting.drawing import motion_maps, show_faces, style
from fleeting.drawing.motion_maps import Array, Row
from fleeting.examples.grey import grey
from fleeting.examples.input import Crop, crops_by_sample
from fleeting.examples.optical_flow import eye_distance
from fleeting.motion import MOTION

LOOKS_AT = "motion"
READS = {
    "gate": "experiments/{experiment}/split.json",
    "split": "experiments/{experiment}/split.tsv",
    "examples": "inputs/{input}/{database}.tsv",
    "arrays": "inputs/{input}/{database}.npy",
    "annotations": "annotations/{database}.tsv",
    "faces": "faces/{crop}/{database}.tsv",
}
SETTINGS = ("input", "show_faces", "synthetic")
CAPTION = (
    "What moves in one clip of each class: of those that may be shown, the one whose size of "
    "motion (the 95th percentile of the lengths over the crop) is nearest to the median of all "
    "clips of the class. From the left: the crops that are compared (of several, the first and the "
    "last), which ready pictures of motion lack; how far each place moves from the first to the "
    "others, as colours (the hue is the direction, white stays where it is) and as arrows (each "
    "the mean of the places around its start, and as many times as long as is said below it; the "
    "shortest are left out); and the strain, which is how much the motion deforms the face there. "
    "All clips share the scales; the values beyond an end, at most two in a hundred, have its "
    "colour. px are pixels of the crop, eye distances those in it, units what ready pictures call "
    "1. A motion is made of a face and has its shape: it is shown, as a face is, only as "
    "``show_faces`` in the config allows, and how many clips are withheld is said. Where labels "
    "are permuted, a clip stands for a class by chance alone. Nothing is estimated here: there are "
    "no repeats."
)
STRAIN = MOTION.index("strain")
#: The percentage of the values that a scale tells apart; the colours of the others are its ends'.
INSIDE = 98
#: The heights in inches of a clip, of the legend and of a line of text below it.
ROW, LEGEND, LINE = 1.48, 1.15, 0.16
#: The most characters of a line as wide as the figure.
LONGEST = 98
Reader = Callable[[Sequence[Row]], Iterator[tuple[Row, Array]]]


@dataclass
class Group:
    """The clips of a class: how far each moves, those that may be shown and those withheld."""

    sizes: dict[str, float] = field(default_factory=dict)
    permitted: list[Row] = field(default_factory=list)
    withheld: list[Row] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the clips' sizes of motion."""
        return float(np.median([*self.sizes.values()]))

    @property
    def chosen(self) -> Row:
        """Of the clips that may be shown the nearest to the median; of equals the first by name."""
        return min(
            self.permitted,
            key=lambda clip: (abs(self.sizes[clip["example"]] - self.median), clip["example"]),
        )


@dataclass(frozen=True)
class Drawn:
    """A clip with its motion, and the first and last crop that it is of, if there are several.

    `in_pixels` is the same motion in pixels of the crop, whatever it is measured in; of ready
    pictures it is as they hold it.
    """

    clip: Row
    motion: Array
    in_pixels: Array
    crops: Sequence[Crop]
    pictures: Sequence[NDArray[np.uint8]]

    @property
    def extent(self) -> tuple[int, int]:
        """The width and height that motions are measured in: those of a crop."""
        height, width = (*self.pictures, self.motion)[0].shape[:2]
        return width, height


@dataclass(frozen=True)
class Scales:
    """What all clips share: the ends of the scales, and how many times as long arrows are."""

    length: float
    strain: Normalize
    arrows: float
    unit: str


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw a row for each class of which a clip may be shown, and say what is withheld."""
    clips = motion_maps.read_clips(files["split"][0])
    block = settings["input"]
    unit = motion_maps.unit(block)
    read = partial(motion_maps.read, files["examples"], files["gate"][0], block["kind"])
    groups = group(clips, read, settings)
    shown = [
        _drawn(files, clip, motion, unit)
        for clip, motion in read([own.chosen for own in groups.values() if own.permitted])
    ]
    withheld = fill(_withheld(groups), LONGEST)
    below = LINE * (1.5 + withheld.count("\n")) if withheld else 0
    if not shown:
        figure = style.new_figure(height=0.2 + below)
        figure.text(0.01, 0.5, withheld, va="center", fontsize=8)
        return figure
    scales = _scales(shown, unit)
    heights = [*(ROW for _ in shown), LEGEND + below]
    figure = style.new_figure(height=sum(heights))
    parts = style.rows_of(figure, heights)
    samples = show_faces.read_samples(files["annotations"])
    # Ready pictures of motion have no crops of faces.
    columns = 5 if any(own.crops for own in shown) else 3
    for part, own in zip(parts, shown, strict=False):
        _name(part, groups[own.clip["label"]], own.clip, samples[own.clip["sample"]], scales.unit)
        panels = part.subplots(1, columns)
        _draw_crops(panels[:-3], own)
        _draw_motion(panels[-3:], own, scales)
    _draw_legend(parts[-1], scales, withheld)
    return figure


def group(clips: Sequence[Row], read: Reader, settings: Mapping[str, Any]) -> dict[str, Group]:
    """The clips of each class, sorted by class; `read` gives each with its motion."""
    found: dict[str, Group] = defaultdict(Group)
    for clip, motion in read(clips):
        own = found[clip["label"]]
        own.sizes[clip["example"]] = motion_maps.size(motion)
        allowed = show_faces.allowed(settings, clip["database"], clip["subject"])
        (own.permitted if allowed else own.withheld).append(clip)
    return {label: found[label] for label in sorted(found)}


def compared(clip: Row, source: str, crops: Sequence[Crop]) -> list[Crop]:
    """The first and the last of the crops that an example is made of; none if it is made of one.

    Args:
        clip: its row of `tsv.SPLIT`.
        source: the names of the files that it was made from (`tsv.EXAMPLES`).
        crops: those of its sample, in the order of their phases.
    """
    names = [f"{clip['database']}:{crop['file']}" for crop in crops]
    first = [place for place, name in enumerate(names) if source.startswith(f"{name} + ")]
    last = [place for place, name in enumerate(names) if source.endswith(f" + {name}")]
    # A frame may be two phases, such as the apex and the offset.
    last = [place for place in last if place not in first[:1]]
    return [crops[first[0]], crops[last[0]]] if first and last else []


def _drawn(files: Mapping[str, list[Path]], clip: Row, motion: Array, unit: str) -> Drawn:
    """A clip with its motion, and the crops that this is of with their pictures."""
    source = next(
        row["source"]
        for table in files["examples"]
        for row in tsv.read_rows(table, tsv.EXAMPLES)
        if row["example"] == clip["example"]
    )
    crops = compared(clip, source, crops_by_sample(files["faces"])[clip["sample"]])
    pictures = [show_faces.read_crop(files["faces"][0], crop) for crop in crops]
    pixels = eye_distance(crops[0]) if unit == motion_maps.EYE_DISTANCES else 1.0
    assert pixels is not None, "without it there is no array"
    return Drawn(clip, motion, motion * pixels, crops, pictures)


def _scales(shown: Sequence[Drawn], unit: str) -> Scales:
    def most(values: list[Array]) -> float:
        return float(np.percentile(np.concatenate([one.ravel() for one in values]), INSIDE))

    strains = [own.motion[..., STRAIN] for own in shown]
    # Of ready pictures it may be below 0.
    lowest = min(0.0, *(float(one.min()) for one in strains))
    return Scales(
        motion_maps.rounded_up(most([motion_maps.lengths(own.motion) for own in shown])),
        Normalize(lowest, max(most(strains), lowest + 1e-9)),
        motion_maps.enlargement([(own.in_pixels, own.extent) for own in shown]),
        unit,
    )


def _withheld(groups: Mapping[str, Group]) -> str:
    """How many clips of how many subjects may not be shown, or nothing."""
    texts = [
        f"{label} {style.counted(len(own.withheld), 'clip')} of "
        f"{style.counted(len({clip['person'] for clip in own.withheld}), 'subject')}"
        for label, own in groups.items()
        if own.withheld
    ]
    return f"Withheld, as show_faces in the config says: {'; '.join(texts)}." if texts else ""


def _name(part: SubFigure, own: Group, clip: Row, sample: Row, unit: str) -> None:
    """Write above a row which clip it shows, and how far it moves."""
    owner = f"{style.database_title(clip['database'])}, {clip['subject']}, {sample['clip']}"
    moves = f"moves {own.sizes[clip['example']]:.2g} {unit}"
    text = f"{clip['label']}: {owner}; {moves}, the class's median {own.median:.2g} {unit}"
    part.suptitle(fill(text, LONGEST), x=0.01, ha="left", fontsize=8)


def _draw_crops(panels: Sequence[Axes], own: Drawn) -> None:
    """Draw the two crops, if the figure has them."""
    for axes, crop, picture in zip(panels, own.crops, own.pictures, strict=False):
        show_faces.draw_image(axes, picture)
        axes.set_xlabel(crop["phase"] or f"frame {crop['frame']}", fontsize=8)


def _draw_motion(panels: Sequence[Axes], own: Drawn, scales: Scales) -> None:
    """Draw the motion as colours and as arrows over the first crop, and the strain."""
    hues, arrows, strain = panels
    colours = motion_maps.colours(own.motion, scales.length)
    motion_maps.draw_map(hues, colours, own.extent)
    hues.set_xlabel("motion", fontsize=8)
    if own.pictures:
        # Pale, so that the arrows are seen.
        pale = 255 - (255 - grey(own.pictures[0])) // 2
        show_faces.draw_image(arrows, np.dstack([pale] * 3))
    motion_maps.draw_arrows(arrows, own.in_pixels, own.extent, scales.arrows)
    arrows.set_xlabel(f"arrows × {scales.arrows:g}", fontsize=8)
    look = {"norm": scales.strain, "cmap": motion_maps.STRAIN}
    motion_maps.draw_map(strain, own.motion[..., STRAIN], own.extent, **look)
    strain.set_xlabel("strain", fontsize=8)


def _draw_legend(part: SubFigure, scales: Scales, withheld: str) -> None:
    """Draw the wheel of colours and the scale of strain, and write what is withheld."""
    wheel, strain = part.subplots(1, 2)
    motion_maps.draw_wheel(wheel, scales.length, scales.unit)
    strain.set_axis_off()
    scale = ScalarMappable(scales.strain, motion_maps.STRAIN)
    inset = strain.inset_axes((0.1, 0.5, 0.8, 0.14))
    bar = part.colorbar(scale, cax=inset, orientation="horizontal", extend="max", label="strain")
    bar.outline.set_linewidth(0.5)
    if withheld:
        part.supxlabel(withheld, x=0.01, ha="left", fontsize=8)
