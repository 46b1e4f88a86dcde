"""Print a config's results folder, for those who start the workflow."""

import argparse
from pathlib import Path

from fleeting.doctor.config import look
from fleeting.errors import UserError
from fleeting.logging import run


def main() -> None:
    """Read the config as the workflow would; what keeps it from being used is said as it would."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, required=True)
    config, findings = look(parser.parse_args().config)
    if config is None:
        raise UserError("\n".join(f"{found.text}\n{found.remedy}" for found in findings))
    print(config["results"])


if __name__ == "__main__":
    run(main)
