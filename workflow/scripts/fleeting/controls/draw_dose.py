"""The figure of dose and response."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from fleeting.controls.dose import Response
from fleeting.drawing import style

#: The name of a protocol in the legend.
PROTOCOLS = {
    "grouped": "subjects apart",
    "matched": "subjects mixed",
}


def draw(found: list[Response]) -> Figure:
    """UAR against dose, one panel for each input, one line for each protocol and configuration."""
    inputs = list(dict.fromkeys(one.learner.input for one in found))
    labels = list(dict.fromkeys(_label(one) for one in found))
    figure = style.new_figure(height=3.1)
    panels = figure.subplots(1, len(inputs), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, inputs, strict=True):
        own = [one for one in found if one.learner.input == name]
        for one in own:
            _draw_response(axes, one, labels.index(_label(one)))
        axes.axhline(1 / own[0].curve.classes, **style.CHANCE)
        axes.set_xscale("log")
        axes.set_xticks(own[0].doses, [f"{dose:.2g}" for dose in own[0].doses])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(0, 1.02)
        axes.set_title(f"input: {name}")
        axes.set_xlabel("movement at the apex (pixels of the frame)")
    panels[0].set_ylabel("UAR")
    style.legend_below(figure, panels[0], "center", columns=len(labels))
    return figure


def _label(one: Response) -> str:
    learner = one.learner
    protocol = PROTOCOLS.get(learner.protocol, learner.protocol)
    return f"{protocol}, {learner.model} at {learner.lr}"


def _draw_response(axes: Axes, one: Response, place: int) -> None:
    look = style.line_style(place)
    colour = look["color"]
    # Side by side where two lines have the same doses.
    doses = one.doses * 1.02 ** (place - 0.5)
    spread = np.abs(np.stack([one.low, one.high]) - one.scores)
    axes.errorbar(
        doses, one.scores, spread, fmt=look["marker"], color=colour, elinewidth=0.9, markersize=4
    )
    fine = np.geomspace(one.doses.min(), one.doses.max(), 200)
    axes.plot(
        fine,
        one.curve.score(fine),
        color=colour,
        linestyle=look["linestyle"],
        marker=look["marker"],
        markevery=[],
        label=_label(one),
    )
    if not one.threshold.outside:
        half = float(one.curve.score(np.array([one.threshold.value]))[0])
        ends = [one.threshold.low, one.threshold.high]
        axes.plot(ends, [half, half], color=colour, linewidth=3.5, alpha=0.45, zorder=1.8)
