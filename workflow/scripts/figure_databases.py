"""Draw what each database gives: subjects, clips and images (figure 3 of the paper)."""

from fleeting.evaluation.collected import experiment_folder, read
from fleeting.evaluation.schemas import DATABASES
from fleeting.figures import databases, style
from fleeting.figures.arguments import parser
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the figure."""
    arguments = parser(__doc__).parse_args()
    folder = experiment_folder(arguments.results, arguments.experiment)
    table = read(folder / "tables" / "databases.tsv", DATABASES)
    style.save(databases.draw(table), arguments.svg, arguments.png)


if __name__ == "__main__":
    run(main)
