"""Draw how faces are cut from frames, one example a database (figure 5 of the paper)."""

import json
from pathlib import Path

from fleeting.figures import cropping, examples, permission, style
from fleeting.figures.arguments import names, parser
from fleeting.logging import run


def main() -> None:
    """Read the command line and write the figure."""
    command_line = parser(__doc__)
    command_line.add_argument("--crop", required=True)
    command_line.add_argument("--frames", required=True, help="JSON: a folder for each database")
    command_line.add_argument("--show-faces", required=True, help="show_faces of the config, JSON")
    command_line.add_argument("--synthetic", default="", help="databases drawn by this project")
    arguments = command_line.parse_args()
    folders = {name: Path(folder) for name, folder in json.loads(arguments.frames).items()}
    found = examples.find(
        arguments.results,
        arguments.crop,
        folders,
        permission.parse(arguments.show_faces),
        names(arguments.synthetic),
    )
    style.save(cropping.draw(found, arguments.results), arguments.svg, arguments.png)


if __name__ == "__main__":
    run(main)
