"""What a run says of itself is read whole or refused by name."""

import json

import pytest

from fleeting.errors import UserError
from fleeting.evaluation import record

WHOLE = {"classes": ["disgust", "others"], "failed": ""}


def test_a_record_is_read(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(WHOLE))
    assert record.read(path, ("classes", "failed")) == WHOLE


def test_a_missing_record_is_named(tmp_path):
    with pytest.raises(UserError, match=r"run.json: missing"):
        record.read(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps(WHOLE)[:-5], "not a whole record"),
        ("\ufeff{}", "not a whole record"),
        ("[]", "not a record of a run"),
        ("{}", "no entry `classes`"),
        ('{"classes": ["others"]}', "no entry `failed`"),
        ('{"classes": [], "failed": ""}', "no list of names"),
        ('{"classes": "others", "failed": ""}', "no list of names"),
        ('{"classes": [1], "failed": ""}', "no list of names"),
    ],
)
def test_a_wrong_record_is_refused(tmp_path, text, said):
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said) as refused:
        record.read(path, ("classes", "failed"))
    assert str(path) in str(refused.value)
