"""The five emotions of CASME II that have enough clips: all but fear and sadness, 246 clips."""

TITLE = "casme2-5"
SOURCE = (
    "Yan et al., CASME II: An Improved Spontaneous Micro-Expression Database and the Baseline "
    "Evaluation, PLoS ONE 9 (2014). The version of the table with 25 clips of surprise: another "
    "one has 28."
)
COLUMN = "emotion"
CLASSES = {
    "casme2": {
        "disgust": ["disgust"],
        "happiness": ["happiness"],
        "others": ["others"],
        "repression": ["repression"],
        "surprise": ["surprise"],
    },
}
COUNTS = {
    "casme2": {"disgust": 63, "happiness": 32, "others": 99, "repression": 27, "surprise": 25},
}
