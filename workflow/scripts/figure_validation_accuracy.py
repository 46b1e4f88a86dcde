"""Draw every model's validation accuracy at one learning rate (figures 6 to 8 of the paper)."""

from fleeting.evaluation.collected import Collected, read
from fleeting.evaluation.schemas import CURVES
from fleeting.figures import style, validation_accuracy
from fleeting.figures.arguments import parser
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the figure."""
    command_line = parser(__doc__)
    command_line.add_argument("--lr", required=True, help="the learning rate as in the config")
    arguments = command_line.parse_args()
    collected = Collected(arguments.results, arguments.experiment)
    frame = read(collected.path / "curves.tsv", CURVES)
    figure = validation_accuracy.draw(frame, arguments.lr, len(collected.classes))
    style.save(figure, arguments.svg, arguments.png)


if __name__ == "__main__":
    run(main)
