"""Clips with a motion that is known, as the stages before the figures leave them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from fabricated_runs import declared, write_gate
from fleeting import registry, tsv
from fleeting.drawing import motion_maps
from fleeting.examples import arrays
from fleeting.paths import crop_path
from painted_faces import paint
from small_splits import write_crop

CHANNELS = ("horizontal", "vertical", "strain")
SIDE = 12


def uniform(right: float, down: float, strain: float = 0.0, side: int = SIDE) -> np.ndarray:
    return np.full((side, side, 3), (right, down, strain), np.float32)


def make(results: Path, clips: dict[str, tuple], channels=CHANNELS, zero=0, unit=4) -> None:
    """Clips `subject/clip` with label and motion, in the databases casme and (empty) samm."""
    rows, split, samples, faces = [], [], [], []
    for name, (label, _) in sorted(clips.items()):
        subject, clip = name.split("/")
        sample = f"casme/{name}/1"
        samples.append([sample, "casme", subject, clip, 1, 2, 3, label, "", "x.xlsx", 2])
        for phase in ("onset", "apex"):
            path = results / crop_path("paper", f"{sample}/{phase}")
            paint(path, 48, 48)
            faces.append(write_crop(results, sample, phase, path.read_bytes()))
        source = " + ".join(f"casme:{sample}/{phase}.jpg" for phase in ("onset", "apex"))
        rows.append([sample, sample, "casme", subject, "", "", source])
        ids = [f"casme/{subject.rstrip('b')}", sample]
        for fold, role in ((1, "train"), (2, "test")):
            split.append([sample, sample, "casme", subject, "", label, fold, role, *ids])
    for database in ("casme", "samm"):
        own = database == "casme"
        folder = results / "inputs/paper"
        folder.mkdir(parents=True, exist_ok=True)
        motions = [motion for _, (_, motion) in sorted(clips.items())] if own else []
        digests = arrays.write(folder / f"{database}.npy", iter(motions), len(motions))
        table = [[*row[:5], digest, row[6]] for row, digest in zip(rows, digests, strict=own)]
        write(table if own else [], folder / f"{database}.tsv", tsv.EXAMPLES)
        write(samples if own else [], results / f"annotations/{database}.tsv", tsv.ANNOTATIONS)
        crops = pd.DataFrame(faces if own else [], columns=list(tsv.FACES))
        tsv.write(crops, results / f"faces/paper/{database}.tsv", tsv.FACES)
    folder = results / "experiments/paper"
    write(split, folder / "split.tsv", tsv.SPLIT)
    gate = write_gate(folder, sorted({label for label, _ in clips.values()}))
    stated = json.loads(gate.read_text())
    stated["input"] |= {"channels": channels, "zero": zero, "unit": unit}
    gate.write_text(json.dumps(stated))


def read(results: Path, kind: str = "flow") -> Iterator[tuple]:
    """The clips with their motions."""
    files = declared("figure", "strain_by_class", results)
    clips = motion_maps.read_clips(files["split"][0])
    return motion_maps.read(files["examples"], files["gate"][0], kind, clips)


def write(rows: list, path: Path, schema: tsv.Schema) -> None:
    tsv.write(pd.DataFrame(rows, columns=list(schema)), path, schema)


def draw(name: str, results: Path, faces="none", synthetic=(), kind: str = "flow", **block):
    """A figure; `block` has keys of the input's block."""
    every = {"input": {"kind": kind, **block}, "input.kind": kind}
    every |= {"show_faces": faces, "synthetic": list(synthetic)}
    settings = {key: every[key] for key in registry.constants("figure", name)["SETTINGS"]}
    return registry.load("figure", name).draw(declared("figure", name, results), settings)
