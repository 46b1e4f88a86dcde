"""What a stage leaves out, and when a run should not go on without it."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from fleeting.errors import UserError

log = logging.getLogger(__name__)

#: Above this share a warning says what is left out; single rows and frames are missing in every
#: real copy of a database.
FEW = 0.05
#: Above this share the stage stops.
MOST = 0.5
#: What the config asked for: `expression_types` of CAS(ME)^2.
ASKED_FOR = "expression_type_not_wanted"


def check(
    database: str,
    units: str,
    lost: Sequence[Mapping[str, object]],
    kept: int,
    accepted: bool,
    cause: Callable[[str], str] = lambda code: "",
) -> None:
    """Warn of what a stage leaves out, or stop where it is most of its input.

    Args:
        database: its name in the config.
        units: what is counted, for the message.
        lost: the rows of EXCLUDED; those that the config asked for do not count.
        kept: how many units the stage keeps.
        accepted: `accept_losses` of the config.
        cause: the likely cause of a code, and what to do about it, as sentences.

    Raises:
        UserError: more than half is lost, and the config does not accept it; or all of it.
    """
    lost = [row for row in lost if row["code"] != ASKED_FOR]
    total = len(lost) + kept
    if len(lost) <= FEW * total:
        return
    codes = Counter(str(row["code"]) for row in lost)
    common = codes.most_common(1)[0][0]
    example = next(row for row in lost if row["code"] == common)
    place = f"row {example.get('table_row')}"
    counts = ", ".join(f"{count} {code.replace('_', ' ')}" for code, count in codes.most_common())
    text = (
        f"{database}: {len(lost)} of {total} {units} are left out ({counts}); for example "
        f"{example['image'] or example['sample'] or place}: "
        f"{example['detail']}. {cause(common)}"
    ).strip()
    if not kept or (len(lost) > MOST * total and not accepted):
        accept = " To go on without them, set accept_losses: true in the config." if kept else ""
        raise UserError(text + accept)
    log.warning("Warning: %s", text)
