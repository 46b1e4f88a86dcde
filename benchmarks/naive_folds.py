"""A plain loop over the folds of a split: what a user would write for leave one subject out.

All examples are tensors in memory; each fold has a fresh network, a DataLoader and the loop of
`naive.py`, in one process with PyTorch's own threads, on the GPU where there is one.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import naive

from fleeting.training.architecture import architecture

CHANNELS = ("horizontal", "vertical", "strain")


def main() -> None:
    """Train and test every fold; print how many test examples were predicted right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument("--examples", type=Path, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--lr", type=float, default=0.01)
    given = parser.parse_args()
    names = pd.read_csv(given.examples, sep="\t")["example"]
    stored = torch.from_numpy(np.load(given.examples.with_suffix(".npy"))).movedim(-1, 1)
    values = pd.Series(list((stored.float() - 128) / 127), index=names)
    split = pd.read_csv(given.split, sep="\t")
    classes = sorted(split["label"].unique())
    network = architecture("small", CHANNELS, tuple(stored.shape[2:]), pretrained=False)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    right = 0
    for fold, rows in split.groupby("fold"):
        torch.manual_seed(int(str(fold)))
        loaders = {}
        for role, own in rows.groupby("split"):
            pixels = torch.stack(list(values[own["example"]]))
            labels = torch.tensor([classes.index(label) for label in own["label"]])
            training = role == "train"
            loaders[role] = DataLoader(
                TensorDataset(pixels, labels),
                given.batch_size,
                shuffle=training,
                # Batch normalisation cannot learn from a single example.
                drop_last=training and len(own) % given.batch_size == 1,
            )
        built = network.build(len(classes)).to(device)
        naive.train(built, loaders["train"], loaders["validation"], given.lr, given.epochs, device)
        predicted = naive.predict(built, loaders["test"], device).argmax(1)
        right += int((predicted == loaders["test"].dataset.tensors[1]).sum())
    print(f"{right} of {len(names)} test examples are predicted right")


if __name__ == "__main__":
    main()
