"""The action units that a cell of a coding table names, as numbers (FACS: Ekman & Friesen, 1978).

Sides (`L4`, `R12`, `14L`; `U`, `T` and `B` for one side, top and bottom), intensities (`12A` to
`12E`) and a coder's doubt (`7?`) are dropped: a unit is there or not.
"""

import re

#: What stands between two units, and the letters before their numbers in some tables.
_BETWEEN = re.compile(r"[+,;&\s]+|AUs?(?=[\s\d]|[LRUTB]\d)", re.IGNORECASE)
_UNIT = re.compile(
    r"[LRUTB]?0*([1-9][0-9]?)(?:\.0*)?(?:[A-E]?[LRUTB]?|[LRUTB][A-E])\??", re.IGNORECASE
)


def parse(cell: str) -> tuple[frozenset[int], list[str]]:
    """The units that a cell of `tsv.ANNOTATIONS` names, and the parts of it that cannot be read.

    Args:
        cell: such as `1+2`, `L4+R12`, `4+7?`, `12A`, `+12` or `AU 4`; empty: nothing was coded.
    """
    units, unreadable = set(), []
    for part in filter(None, _BETWEEN.split(cell)):
        if found := _UNIT.fullmatch(part):
            units.add(int(found[1]))
        else:
            unreadable.append(part)
    return frozenset(units), unreadable
