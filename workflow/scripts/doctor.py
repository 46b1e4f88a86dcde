"""Look at a config, its databases and this machine before hours are spent; nothing is written."""

import argparse
import sys
from pathlib import Path

import fleeting.startup  # noqa: F401
from fleeting.doctor.examine import examine
from fleeting.doctor.show import show
from fleeting.logging import run


def main() -> None:
    """Read the command line, look, print; status 1 if something will stop the run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    try:
        problems = show(examine(parser.parse_args().config))
    except KeyboardInterrupt:
        sys.exit("Stopped; nothing was changed.")
    if problems:
        sys.exit(1)


if __name__ == "__main__":
    run(main)
