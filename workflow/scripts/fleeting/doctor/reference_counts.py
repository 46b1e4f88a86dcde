"""Counts of the four databases as they are distributed, to compare a user's tables with.

The counts are those of the annotation files themselves; where versions or published lists of a file
disagree, the lowest and the highest. The databases: Yan et al., CASME database, FG 2013; Yan et
al., CASME II, PLoS ONE 9 (2014); Qu et al., CAS(ME)^2, IEEE Transactions on Affective Computing 9
(2018); Davison et al., SAMM, IEEE Transactions on Affective Computing 9 (2018).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The lowest and the highest count of the known versions.
Range = tuple[int, int]


@dataclass(frozen=True)
class Counts:
    """The counts of a database's table.

    Attributes:
        versions: the files that they were counted in.
        rows: all rows below the header.
        subjects: all subjects, or None where the default settings leave some of them out.
        emotions: rows by emotion, as annotations hold it; empty where no counts are known.
    """

    versions: str
    rows: Range
    subjects: Range | None
    emotions: Mapping[str, Range] = field(default_factory=dict)


REFERENCE = {
    "casme": Counts("CASME-coded-20190721.xls and older ones", (189, 195), (18, 19)),
    "casme2": Counts(
        "CASME2-coding-20140508.xlsx and CASME2-coding-20190701.xlsx",
        (255, 255),
        (26, 26),
        {
            "others": (99, 99),
            "disgust": (63, 63),
            "happiness": (32, 32),
            "surprise": (25, 28),
            "repression": (27, 27),
            "sadness": (4, 7),
            "fear": (2, 2),
        },
    ),
    # Of its 22 subjects, not all have a micro-expression; about 300 of the rows are macro ones.
    "cas_me2": Counts("CAS(ME)^2code_final.xlsx", (357, 357), None),
    "samm": Counts(
        "SAMM_Micro_FACS_Codes_v2.xlsx",
        (159, 159),
        (29, 29),
        {
            "anger": (57, 57),
            "other": (26, 26),
            "happiness": (26, 26),
            "surprise": (15, 15),
            "contempt": (12, 12),
            "disgust": (9, 9),
            "fear": (8, 8),
            "sadness": (6, 6),
        },
    ),
}


def differences(
    reference: Counts, rows: int, excluded: int, subjects: int, emotions: Mapping[str, int]
) -> list[str]:
    """The differences from the known versions, in words.

    Args:
        reference: the database's.
        rows: the rows of the user's table.
        excluded: how many of them did not become samples; the other counts may be lower by as many.
        subjects: the subjects that have a sample.
        emotions: samples by emotion.
    """
    compared = [("rows", rows, reference.rows, 0)]
    if reference.subjects:
        compared.append(("subjects", subjects, reference.subjects, excluded))
    if reference.emotions:
        for emotion in sorted({*reference.emotions, *emotions}):
            expected = reference.emotions.get(emotion, (0, 0))
            compared.append((emotion, emotions.get(emotion, 0), expected, excluded))
    found = []
    for what, count, (low, high), fewer in compared:
        if not low - fewer <= count <= high:
            expected_text = str(low) if low == high else f"{low} to {high}"
            found.append(f"{what} {count} instead of {expected_text}")
    return found
