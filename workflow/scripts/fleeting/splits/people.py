"""Who is in an example, and in which recording: what protocols keep apart."""

from collections.abc import Sequence

import pandas as pd

from fleeting.databases.reader import clip_folder
from fleeting.errors import UserError
from fleeting.settings import suggestion


def persons(examples: pd.DataFrame, same_person: Sequence[Sequence[str]]) -> pd.Series:
    """The person in each example, for example `casme2/sub01`.

    Subjects of different databases are different people, whatever their names, unless
    `same_person` says otherwise.

    Args:
        examples: with the columns `database` and `subject`.
        same_person: lists of `database/subject` names that are one person each, who gets the first.

    Raises:
        UserError: no example is of one of these subjects.
    """
    subjects = examples["database"] + "/" + examples["subject"]
    refuse_unknown("same_person", [name for group in same_person for name in group], subjects)
    return subjects.replace({name: group[0] for group in same_person for name in group})


def refuse_unknown(key: str, names: Sequence[str], subjects: pd.Series) -> None:
    """Refuse names of a key of the config that are not among the examples' subjects."""
    for name in sorted(set(names).difference(subjects)):
        raise UserError(f"{key}: no example is of {name!r}{suggestion(name, subjects)}")


def recordings(samples: pd.DataFrame) -> pd.Series:
    """The recording of each sample, for example `casme2/sub01/EP02_01f`.

    It is the subject's clip, or the `recording` that its reader names. Spellings that are the same
    folder of frames (`EP1` and `ep01`) are one recording, called by the first of them in order.

    Args:
        samples: rows of `tsv.ANNOTATIONS` of any databases.
    """
    named = samples["clip"]
    if "recording" in samples:
        given = samples["recording"].fillna("")
        named = given.where(given != "", named)
    folder = named.map(lambda name: clip_folder(name).pattern)
    same = [samples["database"], samples["subject"], folder]
    first = named.groupby(same).transform("min")
    return samples["database"] + "/" + samples["subject"] + "/" + first
