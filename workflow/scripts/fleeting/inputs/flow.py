"""The motion from the onset to the apex: optical flow, and its strain."""

from collections.abc import Sequence

from fleeting.examples import optical_flow
from fleeting.examples.apex import ApexInputSettings
from fleeting.examples.input import Crop, Example, Missing
from fleeting.examples.phases import Phase, together

#: A box that follows the face would hide its motion, and add that of the detector.
ONE_BOX = True
BETWEEN: tuple[Phase, Phase] = ("onset", "apex")

array, values = optical_flow.array, optical_flow.values


class Settings(optical_flow.FlowSettings, ApexInputSettings):
    """Those of every flow, and the apex."""

    kind: str = "flow"


def examples(crops: Sequence[Crop], settings: Settings) -> tuple[list[Example], list[Missing]]:
    """One example with the name of the sample; missing (`phase_missing`) without both crops."""
    return together(crops, *BETWEEN)
