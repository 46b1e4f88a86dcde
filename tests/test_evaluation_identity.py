"""Whether subjects and databases are recognised from examples: nearest neighbours, and chance."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from fleeting import tsv
from fleeting.evaluation import identity, schemas
from small_splits import Data


def examples(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Examples of (database, subject, clip)."""
    table = pd.DataFrame(rows, columns=["database", "subject", "clip"])
    person = table["database"] + "/" + table["subject"]
    return table.assign(person=person, recording=person + "/" + table["clip"])


def recognised(table: pd.DataFrame, values: list[float]) -> dict[str, list[float]]:
    found = identity.identity_table(table, np.array(values, dtype=float)[:, None])
    return {row[0]: list(row[1:]) for row in found.itertuples(index=False)}


#: Two subjects with two recordings each, one with a single one, and one of another database.
TABLE = examples(
    ("casme", "s1", "a"),
    ("casme", "s1", "a"),
    ("casme", "s1", "b"),
    ("casme", "s2", "a"),
    ("casme", "s2", "b"),
    ("casme", "s3", "a"),
    ("samm", "s1", "a"),
)


def test_a_subject_is_recognised_by_another_recording() -> None:
    """The second image of the own recording is nearer, and so is a subject with one recording."""
    right, chance, groups, count = recognised(TABLE, [0, 0.1, 2, 10, 12, 2.1, 0.2])["subject"]
    assert (right, groups, count) == (1, 2, 5)
    # Of the images of s1, one of three other images or two of four; of those of s2, one of four.
    assert chance == pytest.approx((1 / 3 + 1 / 3 + 2 / 4 + 1 / 4 + 1 / 4) / 5)
    assert recognised(TABLE, [0, 0, 10, 0, 10, 0, 0])["subject"][0] == 0


def test_a_database_is_recognised_by_another_subject() -> None:
    right, chance, groups, count = recognised(TABLE, [0, 0, 0, 1, 1, 1.2, 0])["database"]
    # The images of s1 are those of the other database, whose own subject cannot be found.
    assert (right, groups, count) == (3 / 7, 2, 7)
    assert chance == pytest.approx((3 * 3 / 4 + 2 * 4 / 5 + 5 / 6 + 0) / 7)


def test_with_one_group_there_is_nothing_to_recognise() -> None:
    alone = examples(("casme", "s1", "a"), ("casme", "s1", "b"), ("casme", "s2", "a"))
    found = recognised(alone, [0, 1, 2])
    assert np.isnan(found["subject"][0])
    assert np.isnan(found["database"][1])


def test_large_examples_are_shrunk_to_the_means_of_blocks() -> None:
    stored = np.arange(2 * 64 * 33 * 3, dtype=np.uint16).reshape(2, 64, 33, 3)
    found = identity.shrunk(stored)
    assert found.shape == (2, 32, 32, 3)
    assert (found[:, 3, :31] == stored[:, 6:8, :31].mean(axis=1)).all()
    assert (found[:, 0, 31] == stored[:, :2, 31:].mean(axis=(1, 2))).all()
    small = stored[:, :20, :20]
    assert (identity.shrunk(small) == small).all()


def test_the_job_reads_what_the_split_names(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each subject's pictures have a brightness of their own."""
    monkeypatch.setattr(identity, "BATCH", 7)
    data = Data(tmp_path, ("samm", "casme"))
    for place, database in enumerate(data.databases):
        data.add(database)
        table = tsv.read(data.examples(database), tsv.EXAMPLES)
        levels = 40 * table["subject"].astype(int).to_numpy() + 20 * place
        arrays = np.broadcast_to(levels.astype(np.uint8)[:, None, None, None], (60, 8, 8, 3))
        np.save(data.examples(database).with_suffix(".npy"), arrays)
        table["sha256"] = [hashlib.sha256(one.tobytes()).hexdigest() for one in arrays]
        tsv.write(table, data.examples(database), tsv.EXAMPLES)
    data.split({"kind": "random_images", "images_per_class": 1000})
    identity.run(
        split=tmp_path / "split.tsv",
        examples=[*map(data.examples, data.databases)],
        output=tmp_path / "identity.tsv",
    )
    found = schemas.read(tmp_path / "identity.tsv", schemas.IDENTITY).set_index("target")
    assert found.loc["subject", ["right", "groups", "examples"]].tolist() == [1, 10, 120]
    assert found.loc["subject", "chance"] == pytest.approx(9 / 117, abs=1e-6)
    # The nearest other subject is always one of the other database.
    assert found.loc["database", ["right", "groups"]].tolist() == [0, 2]
    assert found.loc["database", "chance"] == pytest.approx(48 / 108, abs=1e-6)
