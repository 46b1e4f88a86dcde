"""Random generators seeded by name: the same whatever else is generated beside them."""

import hashlib

import numpy as np


def generator(*names: object) -> np.random.Generator:
    """A random generator that depends on the given names alone.

    Seeding by name, never by position in a sequence, keeps what exists when something is added.
    """
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))
