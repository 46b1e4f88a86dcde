"""Draw one model's training and validation losses (figure 10 of the paper)."""

from fleeting.evaluation.collected import Collected, read
from fleeting.evaluation.schemas import CURVES
from fleeting.figures import losses, style
from fleeting.figures.arguments import parser
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the figure, for the model of the paper's choice."""
    arguments = parser(__doc__).parse_args()
    collected = Collected(arguments.results, arguments.experiment)
    frame = read(collected.path / "curves.tsv", CURVES)
    model, _ = collected.choice("paper")
    figure = losses.draw(frame, model, len(collected.classes))
    style.save(figure, arguments.svg, arguments.png)


if __name__ == "__main__":
    run(main)
