"""The emotions that the published tables are known to hold, in all their spellings.

Used only to tell a typing error from an emotion that an experiment does not map: which class an
emotion belongs to is the experiment's choice, and other tables may hold any other emotions.
"""

import difflib
from collections.abc import Iterable

#: `helpness` is in some copies of CAS(ME)^2; `amusement` in older texts on CASME.
VOCABULARY = frozenset(
    "amusement anger contempt disgust fear happiness happy helpless helpness negative other others "
    "pain positive repression sad sadness surprise tense".split()
)


def likely_emotion(emotion: str, mapped: Iterable[str] = ()) -> str | None:
    """The emotion that was probably meant, or None if it is a known one or like none of them.

    Args:
        emotion: an emotion as annotations hold it, case-folded.
        mapped: the emotions of the experiment's label map, which count as known.
    """
    known = VOCABULARY.union(mapped)
    if emotion in known:
        return None
    matches = difflib.get_close_matches(emotion, sorted(known), n=1, cutoff=0.7)
    return matches[0] if matches else None
