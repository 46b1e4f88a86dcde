"""The objective classes I to V, which follow from action units: 253 clips of 47 subjects.

They are read from the tables' own column, which the table of CASME II has since 2019; they are not
derived from action units, since the published rules leave combinations open.
"""

TITLE = "objective-5"
SOURCE = (
    "Davison et al., Objective Classes for Micro-Facial Expression Recognition, Journal of Imaging "
    "4 (2018), with the clips of MEGC 2018. CASME II: CASME2-coding-20190701.xlsx. SAMM: "
    "SAMM_Micro_FACS_Codes_v2.xlsx. The counts by class are not yet compared with that list; their "
    "sums are."
)
COLUMN = "objective_class"
CLASSES = {
    "casme2": {"i": ["1"], "ii": ["2"], "iii": ["3"], "iv": ["4"], "v": ["5"]},
    "samm": {"i": ["1"], "ii": ["2"], "iii": ["3"], "iv": ["4"], "v": ["5"]},
}
COUNTS = {
    "casme2": {"i": 25, "ii": 15, "iii": 99, "iv": 26, "v": 20},
    "samm": {"i": 24, "ii": 13, "iii": 20, "iv": 8, "v": 3},
}
