"""The five emotions of SAMM that have enough clips: 136 clips."""

TITLE = "samm-5"
SOURCE = (
    "Davison et al., SAMM: A Spontaneous Micro-Facial Movement Dataset, IEEE Transactions on "
    "Affective Computing 9 (2018); the classes with more than ten clips of "
    "SAMM_Micro_FACS_Codes_v2.xlsx."
)
COLUMN = "emotion"
CLASSES = {
    "samm": {
        "anger": ["anger"],
        "contempt": ["contempt"],
        "happiness": ["happiness"],
        "others": ["other", "others"],
        "surprise": ["surprise"],
    },
}
COUNTS = {
    "samm": {"anger": 57, "contempt": 12, "happiness": 26, "others": 26, "surprise": 15},
}
