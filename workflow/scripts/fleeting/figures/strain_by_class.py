"""Where the face deforms in each class: mean strain, and its difference from all classes' mean."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from fleeting.drawing import motion_maps, show_faces, style
from fleeting.drawing.motion_maps import Array, Row
from fleeting.motion import MOTION

LOOKS_AT = "motion"
READS = {
    "gate": "experiments/{experiment}/split.json",
    "split": "experiments/{experiment}/split.tsv",
    "examples": "inputs/{input}/{database}.tsv",
    "arrays": "inputs/{input}/{database}.npy",
}
SETTINGS = ("input.kind",)
CAPTION = (
    "What moves in each class: the mean strain at each place of the crop (above), and how much "
    "more or less that is than the mean of the classes shown (below). Strain is how much the "
    "motion deforms the face there, a ratio (of ready pictures of motion, as they hold it); a "
    "shift or a small turn of the head leaves it as it is. Each subject's clips are averaged "
    "first, then the subjects, so that each subject counts the same. A class with fewer than five "
    "subjects is withheld: no map shows a person. Faces lie over each other as their crops do, "
    "without being warped to one shape. All examples of the split are in it, whatever their role. "
    "Where labels are permuted, all classes should look alike. The few values beyond the end of a "
    "scale have its colour. Nothing is estimated here: there are no repeats."
)
#: The fewest subjects that a mean is shown of.
FEWEST = 5
#: The most classes that are drawn side by side.
MOST_ACROSS = 6
#: The most inches that a map is wide.
WIDEST = 1.45
#: The percentage of the values that a scale tells apart; the colours of the others are its ends'.
INSIDE = 99.5
#: The most characters of a class's name on one line.
LONGEST = 14
STRAIN = MOTION.index("strain")


@dataclass
class Sums:
    """What was seen of a class: the sum of each subject's strain, and the number of its clips."""

    strain: dict[str, Array] = field(default_factory=dict)
    clips: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, person: str, strain: Array) -> None:
        """Add a clip (H, W) of a person."""
        self.strain[person] = self.strain.get(person, 0) + strain.astype(float)
        self.clips[person] += 1

    @property
    def shown(self) -> bool:
        """Whether there are enough subjects for a mean that shows none of them."""
        return len(self.strain) >= FEWEST

    @property
    def mean(self) -> Array:
        """The mean over subjects of the means of their clips, (H, W)."""
        own = [strain / self.clips[person] for person, strain in self.strain.items()]
        return np.asarray(np.mean(own, axis=0))

    @property
    def counts(self) -> str:
        """`34 clips, 12 subjects` on two lines."""
        clips, subjects = sum(self.clips.values()), len(self.strain)
        return f"{style.counted(clips, 'clip')}\n{style.counted(subjects, 'subject')}"


def draw(files: Mapping[str, list[Path]], settings: Mapping[str, Any]) -> Figure:
    """Draw two maps of each class, the classes side by side."""
    clips = motion_maps.read_clips(files["split"][0])
    kind = settings["input.kind"]
    classes = add_up(motion_maps.read(files["examples"], files["gate"][0], kind, clips))
    means, differences = maps(classes)
    scales = _scales(means, differences)
    labels = list(classes)
    # As many in each row.
    columns = math.ceil(len(labels) / math.ceil(len(labels) / MOST_ACROSS))
    rows = [labels[start : start + columns] for start in range(0, len(labels), columns)]
    # As high as the maps are wide, with their texts.
    side = min(WIDEST, (style.PAGE_WIDTH - 0.9) / columns)
    heights = [2 * side + 0.75] * len(rows)
    figure = style.new_figure(height=sum(heights))
    for part, own in zip(style.rows_of(figure, heights), rows, strict=True):
        panels = part.subplots(2, columns, squeeze=False)
        for label, upper, lower in zip_longest(own, *panels):
            if label is None:
                upper.set_axis_off()
                lower.set_axis_off()
                continue
            upper.set_title(fill(label, LONGEST), fontsize=8.5, fontweight="bold")
            lower.set_xlabel(classes[label].counts, fontsize=8)
            _draw_map(upper, means, label, scales[0], f"withheld:\nfewer than\n{FEWEST} subjects")
            _draw_map(lower, differences, label, scales[1], "not shown")
        names = ("mean strain", "max"), ("difference", "both")
        for axes, scale, (name, ends) in zip(panels, scales, names, strict=True):
            look: dict[str, Any] = {"label": name, "extend": ends, "fraction": 0.05, "aspect": 14}
            bar = part.colorbar(scale, ax=list(axes), **look)
            bar.outline.set_linewidth(0.5)
            bar.ax.tick_params(labelsize=7)
    return figure


def add_up(clips: Iterable[tuple[Row, Array]]) -> dict[str, Sums]:
    """The strain of each class, sorted by class, of clips with their motion (H, W, 3)."""
    found: dict[str, Sums] = defaultdict(Sums)
    for clip, motion in clips:
        found[clip["label"]].add(clip["person"], motion[..., STRAIN])
    return {label: found[label] for label in sorted(found)}


def maps(classes: Mapping[str, Sums]) -> tuple[dict[str, Array], dict[str, Array]]:
    """The mean of each class that may be shown, (H, W), and its difference from all of these.

    That of all is the mean of the classes' means, so that frequent classes do not count more. With
    fewer than two classes there is no difference.
    """
    means = {label: sums.mean for label, sums in classes.items() if sums.shown}
    if len(means) < 2:
        return means, {}
    every = np.mean(list(means.values()), axis=0)
    return means, {label: mean - every for label, mean in means.items()}


def _scales(
    means: Mapping[str, Array], differences: Mapping[str, Array]
) -> tuple[ScalarMappable, ScalarMappable]:
    """One scale for all means, and one for all differences, as far below 0 as above it."""

    def most(shown: Mapping[str, Array]) -> float:
        values = np.abs(list(shown.values())) if shown else np.ones(1)
        return float(np.percentile(values, INSIDE)) or 1.0

    # Of ready pictures, strain may be below 0.
    lowest = min([0.0, *(float(mean.min()) for mean in means.values())])
    far = most(differences)
    return (
        ScalarMappable(Normalize(lowest, most(means)), motion_maps.STRAIN),
        ScalarMappable(Normalize(-far, far), "PuOr_r"),
    )


def _draw_map(
    axes: Axes, shown: Mapping[str, Array], label: str, scale: ScalarMappable, instead: str
) -> None:
    """Draw the map of a class, or say why there is none."""
    if label not in shown:
        show_faces.draw_outline(axes, 1, 1, instead)
        return
    height, width = shown[label].shape
    motion_maps.draw_map(axes, shown[label], (width, height), norm=scale.norm, cmap=scale.cmap)
