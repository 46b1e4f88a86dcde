"""Draw images of the classes that are taken for each other (table 3 of the paper)."""

from fleeting import tables
from fleeting.evaluation.collected import experiment_folder, read
from fleeting.evaluation.confused_pairs import PAIRS
from fleeting.figures import confused_pair, permission, style
from fleeting.figures.arguments import names, parser
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the figure."""
    command_line = parser(__doc__)
    command_line.add_argument("--crop", required=True)
    command_line.add_argument("--show-faces", required=True, help="show_faces of the config, JSON")
    command_line.add_argument("--synthetic", default="", help="databases drawn by this project")
    arguments = command_line.parse_args()
    folder = experiment_folder(arguments.results, arguments.experiment)
    figure = confused_pair.draw(
        confused_pair.pairs(read(folder / "tables" / "table3_confused_pairs.tsv", PAIRS)),
        tables.read(folder / "split.tsv", tables.SPLITS),
        arguments.results,
        arguments.crop,
        permission.parse(arguments.show_faces),
        names(arguments.synthetic),
    )
    style.save(figure, arguments.svg, arguments.png)


if __name__ == "__main__":
    run(main)
