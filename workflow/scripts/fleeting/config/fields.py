"""Types of single values that several blocks of the config use, and how errors describe them."""

from itertools import chain
from typing import Annotated

from pydantic import Field
from pydantic_core import PydanticCustomError

NAME = "^[a-z0-9_]{1,100}$"
SUBJECT = r"^[a-z0-9_]+/[^/<>\x00-\x1f\x7f]+$"
LEARNING_RATE = r"^[1-9](\.[0-9]{1,15})?e-[0-9]{2}$"
NETWORK = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
#: What error messages say instead of a pattern.
DESCRIPTIONS = {
    NAME: "a name of at most 100 lower-case letters, digits and _ (it becomes part of paths)",
    SUBJECT: "a subject such as samm/006",
    NETWORK: "package.module:function, which builds a network",
    LEARNING_RATE: 'a rate written as a quoted string such as "1e-03"',
}

Name = Annotated[str, Field(pattern=NAME)]
Subject = Annotated[str, Field(pattern=SUBJECT)]
Network = Annotated[str, Field(pattern=NETWORK)]
LearningRate = Annotated[str, Field(pattern=LEARNING_RATE)]


def unique(values: list[str]) -> list[str]:
    """Refuse a list that names something twice."""
    for value in values:
        if values.count(value) > 1:
            raise PydanticCustomError(
                "unique", "{value} is listed more than once; keep one", {"value": repr(value)}
            )
    return values


def unique_in_all(lists: list[list[str]]) -> list[list[str]]:
    """Refuse lists that name something twice, be it in one of them or in two."""
    unique(list(chain.from_iterable(lists)))
    return lists
