"""Print the results folder of a config, for `make report`."""

from pathlib import Path

from fleeting.doctor.config import look
from fleeting.errors import UserError


def run(*, config: Path) -> None:
    """Read the config as the workflow would; print its results folder or why it cannot be used."""
    loaded, findings = look(config)
    if loaded is None:
        raise UserError("\n".join(f"{found.text}\n{found.remedy}" for found in findings))
    print(loaded["results"])
