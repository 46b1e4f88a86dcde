"""A run.json is read in full or refused by name."""

import json

import pytest

from fleeting.errors import UserError
from fleeting.evaluation import run_info

COMPLETE = {"classes": ["disgust", "others"], "failed": ""}


def test_a_run_json_is_read(tmp_path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(COMPLETE))
    assert run_info.read(path, ("classes", "failed")) == COMPLETE


def test_a_missing_one_is_named(tmp_path):
    with pytest.raises(UserError, match=r"run.json: missing"):
        run_info.read(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps(COMPLETE)[:-5], "not complete JSON"),
        ("\ufeff{}", "not complete JSON"),
        ("[]", "not a JSON object"),
        ("{}", "no entry `classes`"),
        ('{"classes": ["others"]}', "no entry `failed`"),
        ('{"classes": [], "failed": ""}', "not a list of names"),
        ('{"classes": "others", "failed": ""}', "not a list of names"),
        ('{"classes": [1], "failed": ""}', "not a list of names"),
    ],
)
def test_a_corrupt_one_is_refused(tmp_path, text, said):
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said) as refused:
        run_info.read(path, ("classes", "failed"))
    assert str(path) in str(refused.value)
