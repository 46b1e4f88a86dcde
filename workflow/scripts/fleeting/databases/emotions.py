"""The emotions that the four tables are known to hold, in all their spellings.

Used only to tell a typing error from an emotion that an experiment does not map: which class an
emotion belongs to is the experiment's choice.
"""

import difflib

#: `helpness` stands in some copies of CAS(ME)^2; `amusement` in older texts on CASME.
KNOWN = frozenset(
    "amusement anger contempt disgust fear happiness happy helpless helpness negative other others "
    "pain positive repression sad sadness surprise tense".split()
)


def nearest(emotion: str) -> str | None:
    """The known emotion that was probably meant, or None if it is known or like none of them.

    Args:
        emotion: an emotion as annotations hold it, case-folded.
    """
    if emotion in KNOWN:
        return None
    matches = difflib.get_close_matches(emotion, sorted(KNOWN), n=1, cutoff=0.7)
    return matches[0] if matches else None
