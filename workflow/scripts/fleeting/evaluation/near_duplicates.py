"""Test examples that have a near duplicate among the training or validation examples, by hashes."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleeting.errors import UserError

#: Pictures whose hashes differ in at most this many of 64 bits are near duplicates.
NEAR = 10
#: How many test pictures are compared at once: with 40,000 others this takes some 50 MB.
BLOCK = 100
#: More than any distance: there is no picture to compare with.
NONE = 255


def nearest(split: pd.DataFrame, hashes: pd.DataFrame, block: int = BLOCK) -> pd.DataFrame:
    """The nearest training or validation example of each test example, by fold and example.

    The distance of two pictures is the number of bits (0 to 64) in which their hashes differ; that
    of two examples is the distance of their nearest pictures.

    Args:
        split: the rows of split.tsv.
        hashes: the rows of `tsv.HASHES` of all its examples.
        block: how many test pictures are compared at once; it decides nothing but memory.

    Returns:
        fold, example and database of the test example; `same_subject`, the distance of the nearest
        example of the same person; `other_subject` and `other_example`, that of the nearest example
        of another person, and its name (of several the first). Distances are NaN, and the name is
        empty, where there is no such example.

    Raises:
        UserError: an example of the split has no hash.
    """
    pictures = hashes.sort_values(["example", "picture"])
    names = pd.Index(pictures["example"].unique())
    # The examples of all arrays below are places in `names`.
    split = split.assign(place=names.get_indexer(split["example"]))
    if (split["place"] < 0).any():
        lost = split.loc[split["place"] < 0, "example"].iloc[0]
        raise UserError(f"{lost} has no hash of its pictures; rerun with `-R pack_inputs`")
    owner = names.get_indexer(pictures["example"])
    bits = np.array([int(text, 16) for text in pictures["hash"]], dtype=np.uint64)
    person = np.zeros(len(names), dtype=np.int64)
    person[split["place"]] = pd.factorize(split["person"])[0]
    split["is_test"] = split["split"] == "test"
    parts = []
    for fold, rows in split.groupby("fold", sort=False):
        places, is_test = rows["place"].to_numpy(), rows["is_test"].to_numpy()
        test, seen = (_pictures(places[chosen], owner) for chosen in (is_test, ~is_test))
        for start in range(0, len(test), block):
            own = test[start : start + block]
            parts.append({"fold": fold, **_nearest_pictures(own, seen, owner, bits, person)})
    by_picture = pd.concat(map(pd.DataFrame, parts), ignore_index=True)
    test_of_fold = ["fold", "place"]
    same = by_picture.groupby(test_of_fold)["same_subject"].min().reset_index()
    # Of an example's pictures, the one that is nearest to somebody else's.
    ordered = by_picture.sort_values(["other_subject", "other_place"], kind="stable")
    other = ordered.drop_duplicates(test_of_fold).drop(columns="same_subject")
    tests = split.loc[split["is_test"], ["fold", "example", "database", "place"]]
    frame = tests.merge(same, on=test_of_fold).merge(other, on=test_of_fold)
    none = frame["other_subject"] == NONE
    frame["other_example"] = np.where(none, "", names[frame["other_place"]])
    distances = frame[["same_subject", "other_subject"]].astype(float)
    frame[["same_subject", "other_subject"]] = distances.where(distances < NONE)
    return frame.drop(columns=["place", "other_place"])


def _pictures(examples: NDArray[np.intp], owner: NDArray[np.intp]) -> NDArray[np.intp]:
    """The pictures of some examples, in order; `owner` is the example of each picture."""
    is_wanted = np.zeros(owner.max() + 1, dtype=bool)
    is_wanted[examples] = True
    return np.flatnonzero(is_wanted[owner])


def _nearest_pictures(
    test: NDArray[np.intp],
    seen: NDArray[np.intp],
    owner: NDArray[np.intp],
    bits: NDArray[np.uint64],
    person: NDArray[np.int64],
) -> dict[str, NDArray]:
    """The nearest pictures of each test picture: its example, distances, and the other's example.

    Args:
        test: the test pictures.
        seen: the training and validation pictures.
        owner: the example of each picture.
        bits: the hash of each picture.
        person: the person in each example.
    """
    distance = np.bitwise_count(bits[test, None] ^ bits[seen])
    is_same = person[owner[test], None] == person[owner[seen]]
    others = np.where(is_same, NONE, distance)
    at = others.argmin(axis=1)
    return {
        "place": owner[test],
        "same_subject": np.where(is_same, distance, NONE).min(axis=1),
        "other_subject": others[np.arange(len(test)), at],
        "other_place": owner[seen[at]],
    }


def closest_pairs(found: pd.DataFrame, count: int) -> pd.DataFrame:
    """The near duplicates of different people, the closest first, each pair once.

    Args:
        found: what `nearest` returns.
        count: the most pairs.

    Returns:
        `other_subject` (the distance), `example`, `other_example` and `fold`.
    """
    near = found[found["other_subject"] <= NEAR]
    near = near.sort_values(["other_subject", "example", "other_example", "fold"])
    pairs = [
        tuple(sorted(pair)) for pair in zip(near["example"], near["other_example"], strict=True)
    ]
    first = ~pd.Series(pairs, index=near.index, dtype=object).duplicated()
    return near.loc[first, ["other_subject", "example", "other_example", "fold"]].head(count)
