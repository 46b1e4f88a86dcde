"""The loop that a user would write instead of this project's trainer, fixed and fair.

It is PyTorch's own tutorial loop: an ImageFolder of the crops, ToTensor and Normalize, a
DataLoader, float32, SGD, `.item()` a step, training and validation in every epoch. As a training
job does, it then predicts the test images once and saves the model, and both are in its seconds.
PyTorch's own default lets a GPU's convolutions multiply float32 in TF32; `--precision fp32` forbids
it.
"""

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torchvision
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder


@dataclass(frozen=True)
class Epoch:
    """The means over the images of one epoch."""

    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


def images(folder: Path) -> ImageFolder:
    """The crops below a folder with one folder a class, decoded whenever they are asked for."""
    normalise = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    return ImageFolder(str(folder), transforms.Compose([transforms.ToTensor(), normalise]))


def train(
    network: torch.nn.Module,
    training: DataLoader,
    validation: DataLoader,
    lr: float,
    epochs: int,
    device: torch.device,
) -> list[Epoch]:
    """Train a network in place."""
    criterion = torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.SGD(network.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        means = []
        for learning, loader in ((True, training), (False, validation)):
            network.train(learning)
            loss_sum, correct, count = 0.0, 0, 0
            for pixels, labels in loader:
                pixels, labels = pixels.to(device), labels.to(device)
                optimiser.zero_grad()
                with torch.set_grad_enabled(learning):
                    outputs = network(pixels)
                    loss = criterion(outputs, labels)
                    if learning:
                        loss.backward()
                        optimiser.step()
                loss_sum += loss.item() * len(labels)
                correct += (outputs.argmax(1) == labels).sum().item()
                count += len(labels)
            means += [loss_sum / count, correct / count]
        history.append(Epoch(*means))
    return history


def predict(network: torch.nn.Module, test: DataLoader, device: torch.device) -> torch.Tensor:
    """The probabilities of the test images, (N, classes) on the CPU."""
    network.eval()
    with torch.inference_mode():
        return torch.cat([network(pixels.to(device)).softmax(1).cpu() for pixels, _ in test])


def main() -> None:
    """Time the loop and print what it came to as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, required=True, help="with train/, validation/, test/"
    )
    parser.add_argument("--output", type=Path, required=True, help="the model's file")
    parser.add_argument("--model", required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--precision", choices=("fp32", "tf32"), required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.precision == "fp32":
        torch.backends.cudnn.conv.fp32_precision = "ieee"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folders = [images(arguments.folder / part) for part in ("train", "validation", "test")]
    training, validation, test = (
        DataLoader(
            folder,
            batch_size=arguments.batch_size,
            shuffle=shuffled,
            num_workers=arguments.workers,
            pin_memory=device.type == "cuda",
            persistent_workers=arguments.workers > 0,
        )
        for folder, shuffled in zip(folders, (True, False, False), strict=True)
    )
    classes = len(folders[0].classes)
    network = torchvision.models.get_model(arguments.model, num_classes=classes).to(device)
    start = time.perf_counter()
    train(network, training, validation, 1e-3, arguments.epochs, device)
    predict(network, test, device)
    torch.save(network.state_dict(), arguments.output)
    seconds = time.perf_counter() - start
    count = len(folders[0]) * arguments.epochs
    memory = torch.cuda.max_memory_reserved() if device.type == "cuda" else None
    print(
        json.dumps(
            {
                "seconds": seconds,
                "images_per_second": count / seconds,
                "peak_device_bytes": memory,
            }
        )
    )


if __name__ == "__main__":
    main()
