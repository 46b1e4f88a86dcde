"""Hashes of pictures, and test examples that are nearly in the training side."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.evaluation.near_duplicates import closest_pairs, nearest
from fleeting.examples.hashes import difference_hash
from test_examples import IMAGE, PAIR, Packing


def face(seed: int, size: int = 64) -> np.ndarray:
    """A smooth random picture, (size, size, 3) uint8 in the middle of the range."""
    coarse = np.random.default_rng(seed).integers(60, 180, (8, 8, 3), np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def bits(one: np.ndarray, other: np.ndarray) -> int:
    hashes = [int(difference_hash(picture), 16) for picture in (one, other)]
    return (hashes[0] ^ hashes[1]).bit_count()


def test_a_picture_that_grows_brighter_to_the_right_sets_every_bit() -> None:
    ramp = np.repeat(np.tile(np.arange(0, 180, 2, np.uint8), (80, 1))[..., None], 3, axis=2)
    assert difference_hash(ramp) == "f" * 16
    assert difference_hash(np.ascontiguousarray(ramp[:, ::-1])) == "0" * 16
    # The upper half alone: the first four of eight rows.
    half = np.concatenate([ramp[:40], ramp[40:, ::-1]])
    assert difference_hash(half) == "f" * 8 + "0" * 8
    assert difference_hash(np.zeros((9, 9, 3), np.uint8)) == "0" * 16


def test_light_and_noise_change_little_and_another_face_much() -> None:
    picture = face(1)
    assert bits(picture, picture.copy()) == 0
    assert bits(picture, picture + np.uint8(40)) <= 2
    noise = np.random.default_rng(0).integers(0, 4, picture.shape, np.uint8)
    assert bits(picture, picture + noise) <= 6
    assert bits(picture, cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA)) <= 6
    assert min(bits(picture, face(seed)) for seed in range(2, 8)) > 10


@pytest.mark.parametrize(("settings", "pictures"), [(IMAGE, 1), (PAIR, 2)])
def test_every_picture_of_an_example_is_hashed(
    tmp_path: Path, settings: dict[str, str], pictures: int
) -> None:
    packing = Packing(tmp_path)
    packing.sample("c2", "onset", "apex")
    packing.sample("c1", "onset", "apex")
    examples = [row["example"] for row in packing.pack(settings)]
    rows = tsv.read_rows(packing.table.with_suffix(".hashes.tsv"), tsv.HASHES)
    assert [(row["example"], row["picture"]) for row in rows] == [
        (name, str(number)) for name in examples for number in range(1, pictures + 1)
    ]
    packed = np.load(packing.arrays)
    assert rows[-1]["hash"] == difference_hash(np.ascontiguousarray(packed[-1][..., -3:]))


def split(*rows: tuple[str, str, int, str]) -> pd.DataFrame:
    """Rows of split.tsv of (example, person, fold, role); a person is `database/subject`."""
    return pd.DataFrame(
        [
            (
                *(example, example, *person.split("/"), "apex", "a", str(fold), role),
                *(person, f"{person}/c"),
            )
            for example, person, fold, role in rows
        ],
        columns=list(tsv.SPLIT),
    )


def hashes(**values: int | tuple[int, ...]) -> pd.DataFrame:
    """The hashes of each example's pictures."""
    rows = [
        (example, str(number), f"{value:016x}")
        for example, given in values.items()
        for number, value in enumerate((given,) if isinstance(given, int) else given, start=1)
    ]
    return pd.DataFrame(rows, columns=list(tsv.HASHES))


#: One fold of two databases, and a second one that leaves the first subject out.
SPLIT = split(
    ("a1", "casme/s1", 1, "test"),
    ("a2", "casme/s1", 1, "train"),
    ("b1", "casme/s2", 1, "validation"),
    ("c1", "samm/s1", 1, "test"),
    ("c2", "samm/s1", 1, "train"),
    ("a1", "casme/s1", 2, "test"),
    ("a2", "casme/s1", 2, "test"),
    ("b1", "casme/s2", 2, "train"),
    ("c1", "samm/s1", 2, "validation"),
    ("c2", "samm/s1", 2, "train"),
)
HASHES = hashes(a1=0b0, a2=0b111, b1=0b1, c1=2**64 - 1, c2=0b11)


def test_distances_are_to_the_nearest_of_the_fold() -> None:
    found = nearest(SPLIT, HASHES).drop(columns="database")
    assert found.fillna(-1).to_numpy().tolist() == [
        ["1", "a1", 3, 1, "b1"],
        ["1", "c1", 62, 61, "a2"],
        ["2", "a1", -1, 1, "b1"],
        ["2", "a2", -1, 1, "c2"],
    ]


def test_one_person_under_two_names_is_the_same_subject() -> None:
    merged = SPLIT.replace({"person": {"casme/s2": "casme/s1"}})
    found = nearest(merged, HASHES).drop(columns="database")
    assert found.fillna(-1).to_numpy().tolist()[:2] == [
        ["1", "a1", 1, 2, "c2"],
        ["1", "c1", 62, 61, "a2"],
    ]


def test_the_nearest_picture_of_an_example_decides() -> None:
    of_pairs = hashes(a1=(0, 2**64 - 1), a2=(0b111, 1), b1=1, c1=2**63, c2=(5, 2**64 - 2))
    found = nearest(SPLIT, of_pairs)
    assert found.loc[0, ["same_subject", "other_subject"]].tolist() == [1, 1]
    assert found.loc[0, "other_example"] == "b1", "of several the first"


def random_data(examples: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(1)
    roles = generator.choice(["train", "validation", "test"], examples)
    rows = [
        (f"e{number:03}", f"casme/s{number % 7}", 1, str(role)) for number, role in enumerate(roles)
    ]
    values = generator.integers(0, 2**12, (examples, 2)).tolist()
    pictures = {f"e{number:03}": tuple(pair) for number, pair in enumerate(values)}
    return split(*rows), hashes(**pictures)


def test_blocks_and_the_order_of_rows_decide_nothing() -> None:
    rows, hashed = random_data(120)
    expected = nearest(rows, hashed, block=1000)
    pd.testing.assert_frame_equal(nearest(rows, hashed, block=1), expected)
    pd.testing.assert_frame_equal(nearest(rows, hashed[::-1], block=7), expected)
    # Against every pair, one by one.
    values = hashed.groupby("example")["hash"].agg(lambda own: [int(one, 16) for one in own])
    people = rows.set_index("example")["person"]
    fitted = rows.loc[rows["split"] != "test", "example"]
    for example, same, other in expected[["example", "same_subject", "other_subject"]].to_numpy():
        for is_same, found in ((True, same), (False, other)):
            distances = [
                (one ^ two).bit_count()
                for name in fitted
                if (people[name] == people[example]) is is_same
                for one in values[example]
                for two in values[name]
            ]
            assert found == min(distances)


def test_an_example_without_a_hash_is_named() -> None:
    with pytest.raises(UserError, match="c2 has no hash of its pictures; rerun with `-R pack_in"):
        nearest(SPLIT, HASHES[HASHES["example"] != "c2"])


def test_closest_pairs_are_near_and_named_once() -> None:
    rows = split(
        *(
            (name, f"casme/{name}", fold, "test" if number == fold else "train")
            for fold in range(4)
            for number, name in enumerate("abcd")
        )
    )
    found = nearest(rows, hashes(a=0, b=0b11, c=2**40 - 1, d=2**40 - 2))
    pairs = closest_pairs(found, 20)[["other_subject", "example", "other_example", "fold"]]
    assert pairs.to_numpy().tolist() == [[1, "c", "d", "2"], [2, "a", "b", "0"]]
    assert len(closest_pairs(found, 1)) == 1


def test_the_table_counts_by_database_and_shows_names(tmp_path: Path) -> None:
    files = {"split": [tmp_path / "split.tsv"], "hashes": [tmp_path / "casme", tmp_path / "samm"]}
    of_samm = HASHES["example"].str.startswith("c")
    tsv.write(SPLIT, files["split"][0], tsv.SPLIT)
    tsv.write(HASHES[~of_samm], files["hashes"][0], tsv.HASHES)
    tsv.write(HASHES[of_samm], files["hashes"][1], tsv.HASHES)
    frame, page = registry.load("table", "near_duplicates").make(files, {})
    assert frame.fillna(-1).to_numpy().tolist() == [
        ["casme", 3, 1, 3, 3, 3, 1, 1],
        ["samm", 1, 0, 0, 62, 62, 61, 61],
        ["total", 4, 1, 3, 32.5, 3, 1, 1],
    ]
    (_, shown), (_, pairs) = page.parts
    assert shown.iloc[2].tolist() == ["total", 4, 1, 3, "32.5", "3", "1", "1"]
    assert pairs.iloc[0].tolist() == ["1", "a1", "b1", "1"]
    assert len(pairs) == 2
    assert "at most 10 bits" in page.note
