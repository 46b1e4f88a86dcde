"""The trainer: what it learns from, in which order, and that the same seed gives the same run."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import cross_entropy

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation.predict import predict
from fleeting.paths import sha256
from fleeting.training import images, packed, trainer
from fleeting.training.images import Images, normalised
from fleeting.training.pack import pack
from fleeting.training.trainer import Recipe, batches, parts, train
from small_runs import NAME, RECIPE, small_run


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def test_no_image_is_dropped_from_an_epoch() -> None:
    for count in range(1, 60):
        for size in (2, 3, 16):
            cut = batches(torch.randperm(count), size)
            assert sorted(torch.cat(cut).tolist()) == list(range(count))
            assert all(2 <= len(batch) <= size + 1 for batch in cut) or count == 1


def test_a_batch_is_cut_into_parts_without_a_single_image_alone() -> None:
    for count in range(1, 20):
        for accumulation in (1, 2, 3, 50):
            cut = parts(torch.arange(count), accumulation)
            assert torch.cat(cut).tolist() == list(range(count))
            assert len(cut) == max(1, min(accumulation, count // 2))
            assert all(len(part) >= 2 for part in cut) or count == 1


def test_the_order_of_the_images_is_the_seeds() -> None:
    """The steps are those of a plain loop over the seed's permutations, all images in each."""
    generator = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 256, (10, 3, 8, 8), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 2, (10,), generator=generator)
    part = Images([str(n) for n in range(10)], pixels, labels)
    recipe = Recipe.of({**RECIPE, "momentum": 0.9, "weight_decay": 0.01})

    def fresh() -> torch.nn.Module:
        torch.manual_seed(5)
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 2))

    network, reference = fresh(), fresh()
    history = train(network, part, part, 0.01, recipe, "fp32", 7, lambda _: None)
    optimiser = torch.optim.SGD(reference.parameters(), 0.01, momentum=0.9, weight_decay=0.01)
    order = torch.Generator().manual_seed(7)
    losses = []
    for _ in range(2):
        total = 0.0
        for batch in torch.randperm(10, generator=order).split(4):
            optimiser.zero_grad()
            loss = cross_entropy(reference(normalised(pixels[batch])), labels[batch])
            loss.backward()
            optimiser.step()
            total += loss.item() * len(batch)
        losses.append(total / 10)
    assert [epoch.train_loss for epoch in history] == pytest.approx(losses)
    for own, other in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(own, other)


def test_validation_changes_nothing(results: Path) -> None:
    part = images.load(results / "training.tsv", ["train"], ["bright", "dark"])["train"]
    recipe = Recipe.of(RECIPE)

    def trained(validation: Images) -> list[torch.Tensor]:
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(),
            torch.nn.Linear(3600, 2),
        )  # fmt: skip
        train(network, part, validation, 0.1, recipe, "fp32", 1, lambda _: None)
        return list(network.state_dict().values())

    other = Images(part.names[:3], 255 - part.pixels[:3], part.labels[:3])
    for first, second in zip(trained(part), trained(other), strict=True):
        assert torch.equal(first, second)


def test_images_are_read_as_red_green_blue_and_normalised(results: Path) -> None:
    cv2.imwrite(str(results / "red.png"), np.full((4, 4, 3), (0, 0, 255), np.uint8))
    row = ["red", "dark", "train", "red.png", sha256(results / "red.png")]
    tables.write(pd.DataFrame([row], columns=list(tables.IMAGES)), results / "t.tsv", tables.IMAGES)
    packed.write(pack(results / "t.tsv", results), results / "t.tsv")
    loaded = images.load(results / "t.tsv", ["train"], ["dark"])["train"]
    assert loaded.pixels[0, :, 0, 0].tolist() == [255, 0, 0]
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    assert normalised(loaded.pixels)[0, :, 0, 0].tolist() == pytest.approx(expected)


def test_a_run_is_recorded_and_tested(results: Path) -> None:
    small_run(results)
    written = tables.read(results / "run" / "history.tsv", tables.HISTORY)
    assert list(written["epoch"]) == ["1", "2"]
    kept = json.loads((results / "run" / "run.json").read_text())
    assert kept["classes"] == ["bright", "dark"]
    assert kept["tested_epoch"] == 2
    assert kept["threads"] == 1
    assert kept["split_sha256"] == sha256(results / "training.tsv")
    assert kept["pixels_sha256"] == sha256(results / "training.npy")
    assert (kept["failed"], kept["resumed_from_epochs"]) == (None, [])
    state = torch.load(results / "run" / "model.pt", weights_only=True)
    assert state["fc.weight"].shape == (2, 512)
    found = predict(results / "run/run.json", results / "run/model.pt", results / "test.tsv")
    assert found["unseen"] == []
    assert [row["image"] for row in found["test"]] == list(
        tables.read(results / "test.tsv", tables.IMAGES)["image"]
    )
    for row in found["test"]:
        assert row["p_bright"] + row["p_dark"] == pytest.approx(1)
        assert row["predicted"] == max(kept["classes"], key=lambda label: row[f"p_{label}"])


def test_the_seed_decides_a_run_whatever_came_before(results: Path) -> None:
    def weights(repeat: int) -> list[torch.Tensor]:
        run = small_run(results, {**NAME, "repeat": repeat})
        return list(torch.load(run / "model.pt", weights_only=True).values())

    first = weights(1)
    torch.rand(100)
    torch.set_num_threads(2)
    assert all(torch.equal(a, b) for a, b in zip(first, weights(1), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, weights(2), strict=True))


def test_a_network_learns_dark_from_bright(results: Path) -> None:
    recipe = {**RECIPE, "epochs": 15, "momentum": 0.9}
    small_run(results, recipe=recipe)
    history = tables.read_rows(results / "run" / "history.tsv", tables.HISTORY)
    assert float(history[-1]["train_loss"]) < float(history[0]["train_loss"])
    found = predict(results / "run/run.json", results / "run/model.pt", results / "test.tsv")
    assert all(row["label"] == row["predicted"] for row in found["test"])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.unlink(), "0.png: the crop is missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "0.png: the crop changed"),
    ],
)
def test_a_harmed_crop_is_named(
    results: Path, harm: Callable[[Path], object], message: str
) -> None:
    harm(results / "faces" / "0.png")
    with pytest.raises(UserError, match=message):
        pack(results / "training.tsv", results)


@pytest.mark.parametrize("outside", ["../0.png", "faces/../../0.png", "absolute"])
def test_no_crop_outside_the_results_is_packed(results: Path, outside: str) -> None:
    """Whatever a table says; the results folder itself may be named by way of its parent."""
    pack(results / "training.tsv", results / ".." / results.name)
    crop = (results / "faces" / "0.png").rename(results.parent / "0.png")
    table = results / "training.tsv"
    named = str(crop) if outside == "absolute" else outside
    table.write_text(table.read_text().replace("faces/0.png", named))
    with pytest.raises(UserError, match="0.png: the crop is missing"):
        pack(table, results)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda folder: (folder / "training.npy").unlink(), "training.npy: the packed images are"),
        (lambda folder: (folder / "training.json").unlink(), "training.json: the packed images"),
        (lambda folder: tear(folder / "training.npy"), "training.npy: the packed images changed"),
        (lambda folder: tear(folder / "training.json"), "training.json: not a whole record"),
        (
            lambda folder: (folder / "training.json").write_text('["sha256"]'),
            "training.json: not a whole record",
        ),
        (
            lambda folder: (folder / "test.tsv").replace(folder / "training.tsv"),
            "training.npy: packed for another training.tsv",
        ),
    ],
)
def test_harmed_packed_images_are_named(
    results: Path, harm: Callable[[Path], object], message: str
) -> None:
    harm(results)
    with pytest.raises(UserError, match=message):
        images.load(results / "training.tsv", (), ["bright", "dark"])


def test_a_part_without_images_is_named(results: Path) -> None:
    with pytest.raises(UserError, match="the split has no unseen image"):
        images.load(results / "test.tsv", ["test", "unseen"], ["bright", "dark"])


def test_packed_images_are_the_decoded_crops_in_the_order_of_the_table(results: Path) -> None:
    parts = images.load(results / "training.tsv", ["train", "validation"], ["bright", "dark"])
    for part in parts.values():
        assert part.pixels.is_contiguous(memory_format=torch.channels_last)
        for name, pixels, label in zip(part.names, part.pixels, part.labels, strict=True):
            number = int(name.removeprefix("image"))
            crop = cv2.imread(str(results / "faces" / f"{number}.png"))[..., ::-1]
            assert np.array_equal(pixels.permute(1, 2, 0).numpy(), crop)
            assert ["bright", "dark"][label] == ["dark", "bright"][number % 2]
    assert len(parts["train"].names) + len(parts["validation"].names) == 18


def test_a_torn_model_is_named(results: Path) -> None:
    small_run(results)
    model = results / "run" / "model.pt"
    model.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(UserError, match="model.pt cannot be loaded"):
        predict(results / "run/run.json", model, results / "test.tsv")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"classes": ["a"]}'])
def test_a_torn_record_is_named(results: Path, content: str) -> None:
    (results / "run.json").write_text(content)
    with pytest.raises(UserError, match="run.json: not a (whole )?record of a run"):
        predict(results / "run.json", results / "model.pt", results / "test.tsv")


def test_a_model_that_diverged_is_named(results: Path) -> None:
    model = small_run(results) / "model.pt"
    state = torch.load(model, weights_only=True)
    state["fc.bias"] = state["fc.bias"] * float("nan")
    torch.save(state, model)
    with pytest.raises(UserError, match="diverged. Leave the rate 1e-02 out"):
        predict(results / "run/run.json", results / "run/model.pt", results / "test.tsv")


def test_the_thread_count_is_the_recipes() -> None:
    trainer.prepare(Recipe.of({**RECIPE, "threads": 2}), 1)
    assert torch.get_num_threads() == 2
