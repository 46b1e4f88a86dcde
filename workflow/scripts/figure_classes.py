"""Draw the images a class before and after balancing (figure 4 of the paper)."""

from fleeting.evaluation.collected import experiment_folder, read
from fleeting.evaluation.schemas import CLASSES
from fleeting.figures import classes, style
from fleeting.figures.arguments import parser
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the figure."""
    arguments = parser(__doc__).parse_args()
    folder = experiment_folder(arguments.results, arguments.experiment)
    table = read(folder / "tables" / "classes.tsv", CLASSES)
    style.save(classes.draw(table), arguments.svg, arguments.png)


if __name__ == "__main__":
    run(main)
