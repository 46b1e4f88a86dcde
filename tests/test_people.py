"""Who is one person, and what is one recording: neither has two roles in a fold."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fleeting import tsv
from fleeting.config.loading import load
from fleeting.errors import UserError
from fleeting.splits import gate
from fleeting.splits.people import persons, recordings
from fleeting.splits.pool import Pool, annotate, make_pool
from fleeting.splits.protocol import ROLES
from fleeting.splits.split import apply_protocol
from small_splits import CLIPS, LABELS, Data, labelled, resolved_map

SAME = [["casme/001", "samm/002"], ["casme/003", "samm/003", "samm/004"]]
#: Of CAS(ME)^2: subject, clip, the video that it is cut from, onset and offset.
CAS_ME2 = [
    ("s15", "anger1_1", "anger1", 557, 608),
    ("s15", "anger1_2", "anger1", 600, 640),
    ("s15", "anger1_12", "anger1", 2000, 2040),
    ("s15", "happy1_1", "happy1", 10, 30),
    ("s16", "anger1_1", "anger1", 557, 608),
    ("s16", "happy1_2", "happy1", 10, 30),
]
#: Of CASME II: the same, where overlapping rows of one clip differ in how its name is written.
CASME2 = [
    ("sub01", "EP02_01f", "", 46, 86),
    ("sub01", "EP02_01f", "", 80, 120),
    ("sub01", "ep02_1f", "", 110, 150),
    ("sub01", "EP03_02", "", 46, 86),
    ("sub02", "EP02_01f", "", 46, 86),
]
#: Enough others for every protocol.
SAMM = [(f"{number:03}", f"{number:03}_1_1", "", 1, 9) for number in range(12)]


def write(folder: Path, database: str, rows: list[tuple[str, str, str, int, int]]) -> list[Path]:
    """The annotations, with a column `recording` where it is known, and one example of each row."""
    samples, examples = [], []
    for number, (subject, clip, recording, onset, offset) in enumerate(rows, start=1):
        name = f"{database}/{subject}/{clip}/{onset}"
        facts = {"sample": name, "database": database, "subject": subject}
        row = {"clip": clip, "onset": onset, "apex": "", "offset": offset, "action_units": ""}
        row |= {"emotion": "other" if number % 2 else "happiness", "table": "t", "table_row": "2"}
        samples.append({**facts, **row, **({"recording": recording} if recording else {})})
        content = {"phase": "", "sha256": "0" * 64, "source": f"{name}.jpg"}
        examples.append({"example": name, **facts, **content})
    paths = [folder / "annotations" / f"{database}.tsv", folder / "inputs" / f"{database}.tsv"]
    tsv.write_rows(samples, paths[0], tsv.ANNOTATIONS)
    tsv.write_rows(examples, paths[1], tsv.EXAMPLES)
    return paths


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """The examples of the three databases."""
    rows = {"cas_me2": CAS_ME2, "casme2": CASME2, "samm": SAMM}
    tables = [write(tmp_path, database, own) for database, own in rows.items()]
    annotations, examples = zip(*tables, strict=True)
    return make_pool(annotate(annotations, examples), resolved_map(LABELS, *rows), [])


def test_clips_of_one_video_are_one_recording(pool: Pool) -> None:
    table = pool.examples[pool.examples["database"] != "samm"]
    found = dict(zip(table["example"], table["recording"], strict=True))
    assert found == {
        "cas_me2/s15/anger1_1/557": "cas_me2/s15/anger1",
        "cas_me2/s15/anger1_2/600": "cas_me2/s15/anger1",
        "cas_me2/s15/anger1_12/2000": "cas_me2/s15/anger1",
        "cas_me2/s15/happy1_1/10": "cas_me2/s15/happy1",
        "cas_me2/s16/anger1_1/557": "cas_me2/s16/anger1",
        "cas_me2/s16/happy1_2/10": "cas_me2/s16/happy1",
        "casme2/sub01/EP02_01f/46": "casme2/sub01/EP02_01f",
        "casme2/sub01/EP02_01f/80": "casme2/sub01/EP02_01f",
        "casme2/sub01/ep02_1f/110": "casme2/sub01/EP02_01f",
        "casme2/sub01/EP03_02/46": "casme2/sub01/EP03_02",
        "casme2/sub02/EP02_01f/46": "casme2/sub02/EP02_01f",
    }


def test_without_a_column_of_recordings_a_clip_is_one() -> None:
    rows = [("samm", "006", "006_1_2"), ("samm", "006", "006_1_3"), ("casme", "006", "006_1_2")]
    samples = pd.DataFrame(rows, columns=["database", "subject", "clip"])
    assert list(recordings(samples)) == ["/".join(row) for row in rows]


@pytest.mark.parametrize("group", ["clip", "subject"])
@pytest.mark.parametrize("kind", [{"kind": "grouped", "folds": 2}, {"kind": "leave_one_out"}])
def test_samples_of_one_recording_have_one_role(
    pool: Pool, kind: dict[str, Any], group: str
) -> None:
    draw = apply_protocol(pool, list(LABELS), {**kind, "group": group}, 1)
    if kind["kind"] == "leave_one_out":
        column = {"clip": "recording", "subject": "person"}[group]
        assert [fold.name for fold in draw.folds] == sorted(set(pool.examples[column]))
    for fold in draw.folds:
        names = [set(pool.examples["recording"].iloc[at]) for at in fold.by_role.values()]
        assert sum(map(len, names)) == len(set().union(*names)) == 19


def test_a_subject_is_of_its_database_unless_the_config_says_otherwise() -> None:
    names = [f"{database}/00{number}" for database in ("casme", "samm") for number in range(5)]
    table = labelled(*((f"{name}/a", "x") for name in names))
    assert list(persons(table, [])) == names
    merged = dict(zip(names, persons(table, SAME), strict=True))
    assert {name: person for name, person in merged.items() if name != person} == {
        "samm/002": "casme/001",
        "samm/003": "casme/003",
        "samm/004": "casme/003",
    }
    with pytest.raises(UserError, match=r"same_person: no example is of 'sam/002' \(do you mean"):
        persons(table, [["casme/001", "sam/002"]])


@pytest.mark.parametrize(
    ("protocol", "apart"),
    [
        ({"kind": "leave_one_out"}, "subject"),
        ({"kind": "grouped", "folds": 3}, "subject"),
        ({"kind": "grouped", "folds": 3, "group": "clip"}, "clip"),
        ({"kind": "random_images", "images_per_class": 40}, None),
    ],
)
def test_the_split_says_who_is_one_person_and_what_is_kept_apart(
    tmp_path: Path, protocol: dict[str, Any], apart: str | None
) -> None:
    data = Data(tmp_path, ["casme", "samm"])
    for database in data.databases:
        data.add(database, CLIPS)
    data.split(protocol, same_person=SAME)
    rows = data.rows()
    assert gate.read(tmp_path / "split.json").apart == apart
    assert set(rows["person"]) == {
        *("casme/000", "casme/001", "casme/002", "casme/003", "casme/004"),
        *("samm/000", "samm/001"),
    }
    assert set(rows.loc[rows["person"] == "casme/003", "database"]) == {"casme", "samm"}
    roles = rows.groupby(["fold", "person"])["split"].nunique()
    assert bool(roles.max() == 1) == (apart == "subject")
    if protocol["kind"] == "leave_one_out":
        assert sorted(data.folds()["name"]) == sorted(set(rows["person"]))
    assert set(rows["split"]) == set(ROLES)


def config(**changes: Any) -> dict[str, Any]:
    return {
        "databases": {name: {"root": name} for name in ("casme", "samm")},
        "experiments": {
            "apart": {"protocol": "grouped", **changes},
            "mixed": {"protocol": {"kind": "matched", "to": "apart"}},
        },
    }


def test_a_config_that_names_one_person() -> None:
    given = config(same_person=SAME)
    given["experiments"]["mixed"] |= {"based_on": "apart"}
    loaded = load(given)["experiments"]
    assert loaded["apart"]["same_person"] == loaded["mixed"]["same_person"] == SAME
    assert load(config())["experiments"]["apart"]["same_person"] == []


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["samm/006"]], r"same_person\.0: .*at least 2"),
        ([["samm/006", "samm"]], "a subject such as samm/006"),
        ([["samm/006", "casme/sub01", "samm/006"]], "'samm/006' is listed more than once"),
        ([["samm/006", "casme/1"], ["casme/2", "samm/006"]], "'samm/006' is listed more than once"),
        ([["samm/006", "smic/s1"]], r"same_person: 'smic/s1' is of a database that is not listed"),
        ([["samm/006", "casme/1"]], r"mixed\.protocol\.to: same_person differs from that of 'ap"),
    ],
)
def test_what_is_no_list_of_people(groups: list[list[str]], message: str) -> None:
    with pytest.raises(UserError, match=rf"(?s){message}"):
        load(config(same_person=groups))


def test_one_person_is_excluded_as_a_whole() -> None:
    given = config(same_person=SAME, exclude_subjects=["casme/003", "samm/004"])
    with pytest.raises(
        UserError, match="samm/004 are one person .* only casme/003, samm/004 excluded"
    ):
        load(given)
    given["experiments"]["apart"]["exclude_subjects"] = ["casme/001", "samm/002"]
    given["experiments"]["mixed"]["based_on"] = "apart"
    load(given)
