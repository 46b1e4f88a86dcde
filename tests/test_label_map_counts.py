"""The table of a published label map's clips: differences and what may be behind them."""

from pathlib import Path

import pandas as pd
import pytest

from fleeting import registry, tsv
from small_splits import LABELS, resolved_map

DATABASES = ("casme2", "samm")
PLACES = {"experiment": "e", "selection": "phases", "crop": "c", "input": "i"}


def sample(database: str, clip: str, emotion: str, apex: str = "2") -> dict[str, str]:
    row = {"database": database, "subject": "s", "clip": clip.split("/")[0], "onset": "1"}
    row |= {"apex": apex, "offset": "3", "emotion": emotion, "action_units": ""}
    return row | {"sample": f"{database}/s/{clip}", "table": "t.xlsx", "table_row": "2"}


def pooled(clip: str, label: str) -> dict[str, str]:
    row = {"example": f"{clip}/apex", "sample": clip, "database": clip.split("/")[0]}
    row |= {"person": f"{row['database']}/s", "recording": clip}
    return row | {"subject": "s", "phase": "apex", "label": label}


def unused(clip: str, label: str, code: str) -> dict[str, str]:
    return pooled(clip, label) | {
        "emotion": "x",
        "code": code,
        "reason": code.replace("_", " "),
        "detail": "",
    }


def excluded(stage: str, code: str, clip: str = "", row: str = "9") -> dict[str, str]:
    shared = {"database": "samm", "table_row": row, "sample": clip, "stage": stage, "code": code}
    image = f"{clip}/apex" if clip else ""
    return shared | {"image": image, "reason": code.replace("_", " "), "detail": ""}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, list[Path]]:
    """CASME II with 90 clips of two emotions, SAMM with 21 of the 26 of happiness."""
    of_casme2 = [
        *(sample("casme2", f"d{number}", "disgust") for number in range(62)),
        sample("casme2", "d62", "disgust", apex=""),
        *(sample("casme2", f"r{number}", "repression") for number in range(25)),
        sample("casme2", "twice/1", "repression"),
        sample("casme2", "twice/2", "repression"),
    ]
    of_samm = [sample("samm", f"h{number}", "happiness") for number in range(25)]
    of_samm.append(sample("samm", "wrong", "hapiness"))
    split = [
        pooled(row["sample"], "negative") | {"fold": "1", "split": "train"} for row in of_casme2
    ]
    names = [row["sample"] for row in of_samm]
    split += [pooled(name, "positive") | {"fold": "1", "split": "test"} for name in names[:20]]
    left_out = [
        unused(names[20], "positive", "over_cap"),
        unused(names[21], "positive", "excluded_subject"),
        unused(names[22], "positive", "same_source"),
        unused(names[25], "", "emotion_unmapped"),
    ]
    lost = {
        "annotations": [
            excluded("annotations", "onset_missing", row="17"),
            excluded("annotations", "expression_type_not_wanted", row="18"),
        ],
        "faces": [excluded("faces", "no_face", names[23])],
    }
    tables = {
        "split": (tsv.SPLIT, {"": split}),
        "unused": (tsv.UNUSED, {"": left_out}),
        "annotations": (tsv.ANNOTATIONS, {"casme2": of_casme2, "samm": of_samm}),
    }
    found: dict[str, list[Path]] = {}
    for name, path in registry.constants("table", "label_map_counts")["READS"].items():
        own = {"samm": lost.get(name.removesuffix("_excluded"), [])}
        schema, rows = tables.get(name, (tsv.EXCLUDED, own))
        for database in DATABASES if "{database}" in path else ("",):
            place = tmp_path / path.format(database=database, **PLACES)
            tsv.write_rows(rows.get(database, []), place, schema)
            found.setdefault(name, []).append(place)
    return found


def make(files: dict[str, list[Path]], label_map: object) -> tuple:
    settings = {
        "databases": list(DATABASES),
        "label_map": resolved_map(label_map, *DATABASES).model_dump(),
    }
    return registry.load("table", "label_map_counts").make(files, settings)


def test_each_difference_has_its_candidates(files: dict[str, list[Path]]) -> None:
    frame, page = make(files, "megc2019_3")
    assert list(frame) == "database label stated found difference values candidates".split()
    rows = frame.set_index(["database", "label"])
    assert len(rows) == 6
    negative = rows.loc["casme2", "negative"]
    assert list(negative[["stated", "found", "difference"]]) == [88, 90, 2]
    assert negative["values"] == "disgust 63, repression 27"
    assert negative["candidates"] == (
        "casme2/s/d62 (no usable apex in the table); "
        "casme2/s/twice/1 (another row of the table has the same clip); "
        "casme2/s/twice/2 (another row of the table has the same clip)"
    )
    positive = rows.loc["samm", "positive"]
    # What the protocol did not draw is in the pool.
    assert list(positive[["stated", "found", "difference"]]) == [26, 21, -5]
    assert positive["candidates"].split("; ") == [
        "samm/s/h21 (excluded subject)",
        "samm/s/h22 (same source)",
        "samm/s/h23 (no face)",
        "samm/s/h24 (no example)",
        "samm/s/wrong ('hapiness' is not in the label map)",
        "row 17 of the table, of whatever class (onset missing)",
    ]
    assert page.title == "Clips of the label map megc2019-3"
    assert "See et al., MEGC 2019" in page.note
    candidates = dict(page.parts)["Candidates"]
    assert len(candidates) == sum(len(text.split("; ")) for text in frame["candidates"] if text)


def test_permuted_labels_change_no_count(files: dict[str, list[Path]]) -> None:
    expected = make(files, "megc2019_3")[0]
    rows = tsv.read(files["split"][0], tsv.SPLIT)
    rows["label"] = rows["label"].tolist()[::-1]
    tsv.write(rows, files["split"][0], tsv.SPLIT)
    pd.testing.assert_frame_equal(make(files, "megc2019_3")[0], expected)


def test_counts_that_agree_have_no_candidate(files: dict[str, list[Path]]) -> None:
    rows = tsv.read(files["split"][0], tsv.SPLIT)
    kept = ~rows["sample"].isin(["casme2/s/d0", "casme2/s/r0"])
    tsv.write(rows[kept], files["split"][0], tsv.SPLIT)
    negative = make(files, "megc2019_3")[0].iloc[0]
    assert (negative["found"], negative["difference"], negative["candidates"]) == (88, 0, "")


def test_a_map_of_the_configs_own_has_no_counts(files: dict[str, list[Path]]) -> None:
    frame, page = make(files, LABELS)
    assert isinstance(frame, pd.DataFrame)
    assert frame.empty
    assert "no published list" in page.note


def test_objective_classes_are_counted_by_their_column(files: dict[str, list[Path]]) -> None:
    path = files["annotations"][1]
    samples = tsv.read(path, tsv.ANNOTATIONS)
    tsv.write(samples.assign(objective_class="1"), path, tsv.ANNOTATIONS)
    for name, schema in (("split", tsv.SPLIT), ("unused", tsv.UNUSED)):
        tsv.write(tsv.read(files[name][0], schema).assign(label="i"), files[name][0], schema)
    frame = make(files, "objective_5")[0].set_index(["database", "label"])
    assert frame.loc[("samm", "i"), "values"] == "1 21"
    # No table of CASME II before 2019 has the column.
    assert frame.loc[("casme2", "ii"), "candidates"] == ""
