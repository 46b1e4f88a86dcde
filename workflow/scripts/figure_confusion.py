"""Draw the confusion matrices of the paper's choice and of validation's choice."""

from fleeting.evaluation.collected import Collected, read
from fleeting.evaluation.schemas import CONFUSIONS
from fleeting.figures import confusion, style
from fleeting.figures.arguments import parser
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the figure."""
    arguments = parser(__doc__).parse_args()
    collected = Collected(arguments.results, arguments.experiment)
    confusions = read(collected.path / "confusions.tsv", CONFUSIONS)
    figure = confusion.draw(confusions, collected.choices, collected.classes)
    style.save(figure, arguments.svg, arguments.png)


if __name__ == "__main__":
    run(main)
