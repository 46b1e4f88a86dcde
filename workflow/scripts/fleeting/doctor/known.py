"""What is known of the four databases as they are distributed, to compare a user's tables with.

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
class Known:
    """The counts of a database's table.

    Attributes:
        versions: the files that they were counted in.
        rows: all rows below the header.
        subjects: all subjects, or None where the default settings leave rows of some of them out.
        emotions: rows by emotion, as annotations hold it; empty where no counts are known.
    """

    versions: str
    rows: Range
    subjects: Range | None
    emotions: Mapping[str, Range] = field(default_factory=dict)


KNOWN = {
    "casme": Known("CASME-coded-20190721.xls and older ones", (189, 195), (18, 19)),
    "casme2": Known(
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
    "cas_me2": Known("CAS(ME)^2code_final.xlsx", (357, 357), None),
    "samm": Known(
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
    known: Known, rows: int, left_out: int, subjects: int, emotions: Mapping[str, int]
) -> list[str]:
    """What differs from the known versions, in words.

    Args:
        known: the database's.
        rows: the rows of the user's table.
        left_out: how many of them did not become samples: counts of samples may be lower by these.
        subjects: the subjects that have a sample.
        emotions: samples by emotion.
    """
    found = []
    if not _within(rows, known.rows, 0):
        found.append(f"{rows} rows instead of {_range(known.rows)}")
    if known.subjects and not _within(subjects, known.subjects, left_out):
        found.append(f"{subjects} subjects instead of {_range(known.subjects)}")
    if known.emotions:
        for emotion in sorted({*known.emotions, *emotions}):
            expected = known.emotions.get(emotion, (0, 0))
            count = emotions.get(emotion, 0)
            if not _within(count, expected, left_out):
                found.append(f"{emotion} {count} instead of {_range(expected)}")
    return found


def _within(count: int, expected: Range, slack: int) -> bool:
    return expected[0] - slack <= count <= expected[1]


def _range(expected: Range) -> str:
    low, high = expected
    return str(low) if low == high else f"{low} to {high}"
