"""The three classes of the composite of CASME II, SAMM and SMIC: 442 clips of 68 subjects."""

TITLE = "megc2019-3"
SOURCE = (
    "See et al., MEGC 2019 - The Second Facial Micro-Expressions Grand Challenge, FG 2019. CASME "
    "II: the version of its table with 25 clips of surprise, not 28; the table has 90 clips of "
    "disgust and repression, and the published list 88 of them. SAMM: "
    "SAMM_Micro_FACS_Codes_v2.xlsx. SMIC: its part HS."
)
COLUMN = "emotion"
#: SAMM's fear and sadness are negative; CASME II's are in no class, as is what is called others.
CLASSES = {
    "casme2": {
        "negative": ["disgust", "repression"],
        "positive": ["happiness"],
        "surprise": ["surprise"],
    },
    "samm": {
        "negative": ["anger", "contempt", "disgust", "fear", "sadness"],
        "positive": ["happiness"],
        "surprise": ["surprise"],
    },
    "smic": {
        "negative": ["negative"],
        "positive": ["positive"],
        "surprise": ["surprise"],
    },
}
COUNTS = {
    "casme2": {"negative": 88, "positive": 32, "surprise": 25},
    "samm": {"negative": 92, "positive": 26, "surprise": 15},
    "smic": {"negative": 70, "positive": 51, "surprise": 43},
}
