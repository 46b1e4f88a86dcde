"""Label maps: which class a clip belongs to, by database.

An experiment's `label_map` in the config is either a map of its own, which holds for all databases,
or the name of a published one: a module in `fleeting/splits/label_maps`, which declares as literals

- `TITLE`: its name as the field spells it;
- `SOURCE`: where it is published, and which version of the tables its counts are of;
- `COLUMN`: the column of the annotations that decides, `emotion` or `objective_class`;
- `CLASSES`: by database, the values of that column in each class, in lower case;
- `COUNTS`: by database and class, the clips that the published list has.

A database is named there by its reader or, where the reader is one for any table, by the name that
the config gives it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from fleeting import registry
from fleeting.errors import UserError
from fleeting.settings import Settings

Classes = dict[str, list[str]]
#: The columns of the annotations that may decide.
Column = Literal["emotion", "objective_class"]


class LabelMap(Settings):
    """A label map for the databases of a config.

    `name`, `title` and `source` are those of the published map, empty for the config's own, which
    has no `counts`. `databases` holds the values of each class for the databases that the map is
    about.
    """

    name: str = ""
    title: str = ""
    source: str = ""
    column: Column
    databases: dict[str, Classes]
    counts: dict[str, dict[str, int]] = {}

    @property
    def classes(self) -> list[str]:
        """The classes of all databases, each once."""
        return list(dict.fromkeys(label for found in self.databases.values() for label in found))

    def values(self, label: str) -> list[str]:
        """The values of the column that make a class in some database, each once."""
        found = (classes.get(label, []) for classes in self.databases.values())
        return list(dict.fromkeys(value for values in found for value in values))

    def label_of(self, database: str) -> dict[str, str]:
        """The class of each value of the column; empty for a database that the map is not about."""
        classes = self.databases.get(database, {})
        return {value: label for label, values in classes.items() for value in values}


@dataclass(frozen=True)
class Count:
    """The clips of a class: what the published list states, and what there is."""

    database: str
    label: str
    stated: int
    found: int

    @property
    def difference(self) -> int:
        """How many clips more there are than the list states."""
        return self.found - self.stated

    def __str__(self) -> str:
        """For a message."""
        return f"{self.label} {self.found} instead of {self.stated}"


def resolve(given: str | Classes, databases: Mapping[str, Mapping[str, Any]]) -> LabelMap:
    """An experiment's label map for the databases of the config.

    Args:
        given: the experiment's `label_map`.
        databases: the databases' blocks of the config, by name.

    Raises:
        UserError: the module of a published map declares another column, or lacks counts.
    """
    if not isinstance(given, str):
        return LabelMap(column="emotion", databases=dict.fromkeys(databases, given))
    module = registry.constants("label_map", given)
    if module["COLUMN"] not in (known := get_args(Column)):
        raise UserError(
            f"label map {given}: its COLUMN is {module['COLUMN']!r}; declare one of "
            f"{', '.join(known)}"
        )
    for key, classes in module["CLASSES"].items():
        if classes.keys() != module["COUNTS"].get(key, {}).keys():
            raise UserError(
                f"label map {given}: COUNTS and CLASSES have other classes of {key!r}; declare "
                "how many clips the published list has of each"
            )
    keys = {
        name: next((key for key in (block["reader"], name) if key in module["CLASSES"]), None)
        for name, block in databases.items()
    }
    return LabelMap(
        name=given,
        title=module["TITLE"],
        source=module["SOURCE"],
        column=module["COLUMN"],
        databases={name: module["CLASSES"][key] for name, key in keys.items() if key},
        counts={name: module["COUNTS"][key] for name, key in keys.items() if key},
    )


def counts(label_map: LabelMap, clips: Iterable[tuple[str, str, str]]) -> list[Count]:
    """What a published map states beside what there is; nothing for the config's own map.

    Args:
        label_map: the experiment's.
        clips: the database, label and sample of each example; a sample counts once.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for database, label, sample in clips:
        found.setdefault((database, label), set()).add(sample)
    return [
        Count(database, label, stated, len(found.get((database, label), ())))
        for database, classes in label_map.counts.items()
        for label, stated in classes.items()
    ]
