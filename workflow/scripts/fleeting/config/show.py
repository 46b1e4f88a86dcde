"""Print the results folder of a config, for `make report`."""

from pathlib import Path

from fleeting.config.loading import read


def run(*, config: Path) -> None:
    """Read the config as the workflow would, and print its results folder."""
    print(read(config)["results"])
