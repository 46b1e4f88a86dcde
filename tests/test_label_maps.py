"""Published label maps: what they hold, who is in which class, and whether the counts agree."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from fleeting import registry, tsv
from fleeting.config.loading import load
from fleeting.doctor.databases import _label_maps
from fleeting.doctor.reference_counts import REFERENCE
from fleeting.errors import UserError
from fleeting.splits import labels
from fleeting.splits.pool import annotate, make_pool
from fleeting.splits.split import label_map_notes
from small_splits import Data, examples, resolved_map

NAMES = registry.names("label_map")
BLOCKS = {name: {"reader": name, "root": name} for name in ("casme", "casme2", "samm")}
SMIC = {"reader": "table", "table": "t.tsv", "frames": "f", "path": "{clip}/{frame}.png"}


def by_example(table: pd.DataFrame, column: str) -> dict[str, str]:
    return dict(zip(table["example"], table[column], strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_map_counts_the_classes_that_it_has(name: str) -> None:
    held = registry.constants("label_map", name)
    assert held["TITLE"].replace("-", "_") == name
    assert {key: list(classes) for key, classes in held["CLASSES"].items()} == {
        key: list(classes) for key, classes in held["COUNTS"].items()
    }
    for classes in held["CLASSES"].values():
        values = [value for listed in classes.values() for value in listed]
        assert len(values) == len(set(values))
        assert values == [value.casefold() for value in values]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"COLUMN": "estimated"}, "COLUMN is 'estimated'; declare one of emotion, objective_class"),
        ({"COUNTS": {}}, "COUNTS and CLASSES have other classes of 'samm'"),
        ({"COUNTS": {"samm": {"anger": 57}}}, "COUNTS and CLASSES have other classes of 'samm'"),
    ],
)
def test_a_module_that_is_no_label_map(
    changes: dict[str, object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {**registry.constants("label_map", "samm_5"), **changes}
    monkeypatch.setattr(registry, "constants", lambda *_: wrong)
    with pytest.raises(UserError, match=f"label map samm_5: .*{message}"):
        labels.resolve("samm_5", BLOCKS)


def test_a_misspelt_emotion_is_told_where_it_can_be_listed() -> None:
    table = examples(("samm/1/a", "apex", "hapiness", "s")).assign(objective_class="")
    own = resolved_map({"a": ["happiness"], "b": ["other"]}, "samm")
    for given, remedy in (
        (own, "list it in the label map"),
        (labels.resolve("samm_5", BLOCKS), "a label map of your own in place of samm_5"),
    ):
        (detail,) = make_pool(table, given, []).unused["detail"]
        assert detail.endswith(remedy)


@pytest.mark.parametrize(
    ("name", "clips"),
    [("megc2019_3", 442), ("casme2_5", 246), ("samm_5", 136), ("objective_5", 253)],
)
def test_the_published_totals(name: str, clips: int) -> None:
    counts = registry.constants("label_map", name)["COUNTS"]
    assert sum(sum(of_database.values()) for of_database in counts.values()) == clips


@pytest.mark.parametrize("name", sorted({*NAMES} - {"objective_5"}))
def test_the_counts_are_those_of_the_tables(name: str) -> None:
    """But for the two clips of CASME II that the table has and the list of MEGC 2019 has not."""
    held = registry.constants("label_map", name)
    for database, classes in held["CLASSES"].items():
        if database not in REFERENCE:
            continue
        for label, emotions in classes.items():
            known = [REFERENCE[database].emotions.get(emotion, (0, 0)) for emotion in emotions]
            low, high = (sum(ends) for ends in zip(*known, strict=True))
            surplus = 2 if (name, database, label) == ("megc2019_3", "casme2", "negative") else 0
            assert low <= held["COUNTS"][database][label] + surplus <= high, (database, label)


def test_a_class_goes_by_database() -> None:
    table = examples(
        ("samm/006/a", "apex", "fear", "1"),
        ("casme2/sub01/a", "apex", "fear", "2"),
        ("casme2/sub01/b", "apex", "repression", "3"),
        ("casme/sub01/a", "apex", "repression", "4"),
        ("samm/007/b", "apex", "hapiness", "5"),
    )
    pool = make_pool(table, resolved_map("megc2019_3", *BLOCKS), [])
    assert by_example(pool.examples, "label") == {
        "samm/006/a/apex": "negative",
        "casme2/sub01/b/apex": "negative",
    }
    assert by_example(pool.unused, "code") == {
        "casme2/sub01/a/apex": "emotion_unmapped",
        "casme/sub01/a/apex": "database_unmapped",
        "samm/007/b/apex": "emotion_unmapped",
    }
    assert "'happiness'" in by_example(pool.unused, "detail")["samm/007/b/apex"]


def test_databases_are_recognised_by_reader_or_name() -> None:
    blocks = {
        "mine": {"reader": "casme2"},
        "smic": {"reader": "table"},
        # By its reader, whatever it is called.
        "samm": {"reader": "casme2"},
        "other": {"reader": "table"},
    }
    found = labels.resolve("megc2019_3", blocks)
    assert list(found.databases) == ["mine", "smic", "samm"]
    assert found.label_of("samm") == found.label_of("mine")
    assert found.counts["smic"] == {"negative": 70, "positive": 51, "surprise": 43}
    assert found.classes == ["negative", "positive", "surprise"]
    assert found.values("negative") == ["disgust", "repression", "negative"]
    assert found.label_of("other") == {}
    assert (found.title, found.name) == ("megc2019-3", "megc2019_3")


def test_objective_classes_come_from_their_own_column(tmp_path: Path) -> None:
    data = Data(tmp_path, ["casme2", "samm"])
    clips = [(f"{number:03d}", "a", "anger") for number in range(1, 5)]
    for database in data.databases:
        data.add(database, clips)
    path = data.annotations("samm")
    rows = tsv.read(path, tsv.ANNOTATIONS)
    tsv.write(rows.assign(objective_class=["1", "5", "6", ""]), path, tsv.ANNOTATIONS)
    everything = annotate(
        [*map(data.annotations, data.databases)], [*map(data.examples, data.databases)]
    )
    pool = make_pool(everything, resolved_map("objective_5", "casme2", "samm"), [])
    assert by_example(pool.examples, "label") == {
        f"samm/{clip}/a/{phase}": label
        for clip, label in (("001", "i"), ("002", "v"))
        for phase in tsv.PHASES
    }
    assert set(pool.unused["code"]) == {"objective_class_unmapped"}
    details = by_example(pool.unused, "detail")
    assert details["samm/003/a/apex"] == "6"
    assert details["casme2/001/a/apex"] == "the table has none"


def test_the_split_says_where_counts_differ() -> None:
    clips = [("negative", "disgust", 90), ("positive", "happiness", 32)]
    clips += [("surprise", "surprise", 3)]
    table = examples(
        *(
            (f"casme2/sub01/{label}{number}", phase, emotion, f"{label}{number}{phase}")
            for label, emotion, count in clips
            for number in range(count)
            for phase in ("onset", "apex")
        ),
        ("casme/sub01/a", "apex", "disgust", "other"),
    )
    label_map = resolved_map("megc2019_3", "casme", "casme2")
    notes = label_map_notes(label_map, make_pool(table, label_map, []))
    assert notes == [
        "database casme: the label map megc2019_3 is not about it; left out",
        "label map megc2019_3: casme2: negative 90 instead of 88 clips; the table label_map_counts "
        "has candidates",
        "label map megc2019_3: casme2: surprise 3 instead of 25 clips; the table label_map_counts "
        "has candidates",
    ]


def test_a_published_map_splits_as_a_warning_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = Data(tmp_path)
    emotions = ["anger", "fear", "happiness", "surprise"]
    data.add(clips=[(f"{n % 9:03d}", f"clip{n}", emotions[n % 4]) for n in range(40)])
    with caplog.at_level(logging.WARNING):
        data.split(label_map="megc2019_3")
    assert set(data.rows()["label"]) == {"negative", "positive", "surprise"}
    assert "Warning: label map megc2019_3: samm: negative 20 instead of 92 clips" in caplog.text


@pytest.mark.parametrize(
    ("databases", "name", "message"),
    [
        (BLOCKS, "megc2019", r"no label map is called 'megc2019' \(do you mean 'megc2019_3'\?"),
        ({"casme": BLOCKS["casme"]}, "megc2019_3", "is about casme2, samm, smic; none of them"),
    ],
)
def test_a_name_that_is_refused(databases: dict, name: str, message: str) -> None:
    config = {"databases": databases, "experiments": {"e": {"label_map": name}}}
    with pytest.raises(UserError, match=f"experiments.e.label_map: .*{message}"):
        load(config)


def test_a_name_stays_a_name() -> None:
    config = {"databases": {"smic": SMIC}, "experiments": {"e": {"label_map": "megc2019_3"}}}
    assert load(config)["experiments"]["e"]["label_map"] == "megc2019_3"


def test_the_doctor_compares_before_a_run() -> None:
    config = load({"databases": BLOCKS, "experiments": {"e": {"label_map": "samm_5"}, "paper": {}}})
    rows = [{"sample": str(number), "emotion": "anger"} for number in range(57)]
    (found,) = _label_maps("samm", config, rows)
    assert "not the clips of the label map samm_5: contempt 0 instead of 12, " in found.text
    assert "anger" not in found.text
    assert list(_label_maps("casme", config, rows)) == []
