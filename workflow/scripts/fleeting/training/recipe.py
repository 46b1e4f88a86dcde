"""The block `recipe` of an experiment: how a network is trained. The defaults are the paper's."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SerializeAsAny, field_validator, model_validator

from fleeting.settings import OneOf, Settings, Variant, usable_path


class Auxiliary(Settings):
    """What a network learns beside the classes, from the same training examples."""

    action_units: list[Annotated[int, Field(ge=1, le=99)]] = Field(
        description="action units, by number: the network gets an output for each"
    )
    weight: float = Field(
        0.3, gt=0, description="of their mean binary cross entropy, which is added to the loss"
    )

    @field_validator("action_units")
    @classmethod
    def _check_units(cls, units: list[int]) -> list[int]:
        if not units:
            raise ValueError("list an action unit, or set `auxiliary: null`")
        for unit in units:
            if units.count(unit) > 1:
                raise ValueError(f"the action unit {unit} is listed twice; remove one")
        return units


def _usable_weights(path: str) -> str:
    usable_path(path.replace("{model}", "model"))
    return path


class Recipe(Settings):
    """How a fold is trained. Section 3 of the paper: SGD, 100 epochs, pretrained weights."""

    weights: Annotated[str, AfterValidator(_usable_weights)] = Field(
        "imagenet",
        description="imagenet, none, or the path of a file, in which {model} stands for the "
        "model's name",
    )
    freeze: Literal["none", "all_but_last_stage", "all_but_head"] = Field(
        "none", description="which layers keep their pretrained weights"
    )
    optimiser: Annotated[SerializeAsAny[Variant], OneOf("optimiser")] = Field(
        "sgd", validate_default=True, description="how weights are updated"
    )
    schedule: Annotated[SerializeAsAny[Variant], OneOf("schedule")] = Field(
        "constant", validate_default=True, description="how the learning rate changes by the step"
    )
    warmup: float = Field(
        0,
        ge=0,
        lt=1,
        description="the share of all steps in which the learning rate first rises to its full "
        "value; the schedule follows",
    )
    augmentations: list[Annotated[SerializeAsAny[Variant], OneOf("augmentation")]] = Field(
        [], description="changes of the training examples, drawn again in each step, in this order"
    )
    balance: Annotated[SerializeAsAny[Variant], OneOf("balance")] = Field(
        "none",
        validate_default=True,
        description="how the classes of a fold's training examples are balanced",
    )
    label_smoothing: float = Field(
        0,
        ge=0,
        lt=1,
        description="the share of each label that is spread over all classes",
    )
    auxiliary: Auxiliary | None = Field(
        None,
        description="what is learnt beside the classes: the action units of the training clips; "
        "null: nothing",
    )
    batch_size: int = Field(16, ge=2, le=65536, description="training examples in a step")
    accumulation: int = Field(
        1,
        ge=1,
        le=65536,
        description="in how many parts a batch is computed where it does not fit into memory",
    )
    epochs: int = Field(100, ge=1, le=1_000_000, description="passes over the training examples")
    early_stopping: int | None = Field(
        None,
        ge=1,
        description="a fold ends once so many epochs in a row are no better on validation examples",
    )
    weight_average: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="what is validated and tested is an exponential moving average of the weights; "
        "this share of it stays in each step",
    )
    tested_epoch: Literal["last", "best_validation"] = Field(
        "last",
        description="whose weights are tested and saved: those after the last epoch, or after the "
        "one with the highest validation UF1 of the fold",
    )
    mirrored_test: bool = Field(
        False, description="test outputs are the mean over each example and its mirror image"
    )
    seed: int = Field(
        1, ge=0, le=2**31 - 1, description="repeat r is seeded with seed + r - 1, by fold"
    )
    precision: Literal["fp32", "tf32", "bf16", "auto"] = Field(
        "fp32", description="the arithmetic of the network"
    )
    threads: int = Field(
        2, ge=1, le=1000, description="CPU threads; they decide in which order numbers are added"
    )
    deterministic: bool = Field(True, description="on CUDA: only deterministic kernels")

    @model_validator(mode="after")
    def _check_freeze(self) -> "Recipe":
        if self.freeze != "none" and self.weights == "none":
            raise ValueError(f"freeze: {self.freeze} needs pretrained weights, not `weights: none`")
        return self

    @model_validator(mode="after")
    def _check_accumulation(self) -> "Recipe":
        if self.accumulation > 1 and 2 * self.accumulation > self.batch_size:
            raise ValueError(
                f"accumulation: {self.accumulation} parts of a batch of {self.batch_size}: a part "
                "needs two examples, for batch normalisation"
            )
        return self
