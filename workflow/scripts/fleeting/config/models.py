"""The config as typed models: its top level and the experiments.

The blocks of a stage are modelled beside the code that they configure. The defaults are the
paper's values; `config.yaml` shows them and says where each comes from.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny
from pydantic_core import PydanticCustomError

from fleeting.config.fields import (
    SUBJECT,
    LearningRate,
    Name,
    Network,
    Subject,
    unique,
    unique_in_all,
)
from fleeting.config.messages import shown
from fleeting.databases.settings import DatabaseSettings
from fleeting.faces.settings import CropSettings
from fleeting.settings import OneOf, OrName, PathText, Settings, Variant
from fleeting.splits.permute import PermuteLabels
from fleeting.synthetic.settings import Settings as SyntheticSettings
from fleeting.training.recipe import Recipe

#: The classes of table 2, and the emotions in each.
LABEL_MAP = {
    "disgust": ["disgust"],
    "happiness": ["happiness", "happy", "amusement"],
    "others": ["others", "other"],
    "repression": ["repression"],
    "surprise": ["surprise"],
    "tense": ["tense"],
}
#: The baselines of an experiment: those of any input.
BASELINES = [
    *("majority", "uniform", "stratified", "database_only", "database_only_balanced"),
    *("subject_only", "clip_only", "nearest_neighbour", "pca_svm"),
]
Names = Annotated[list[Name], Field(min_length=1), AfterValidator(unique)]
Subjects = Annotated[list[Subject], AfterValidator(unique)]
People = Annotated[
    list[Annotated[list[Subject], Field(min_length=2)]], AfterValidator(unique_in_all)
]
Emotions = Annotated[
    list[Annotated[str, Field(min_length=1)]], Field(min_length=1), AfterValidator(unique)
]


def _whose_faces(value: object) -> object:
    """Refuse anything but the two words and lists of subjects, with one error for both forms."""
    if value in ("none", "synthetic"):
        return value
    if isinstance(value, list) and all(
        isinstance(item, str) and re.fullmatch(SUBJECT, item) for item in value
    ):
        return value
    raise PydanticCustomError(
        "faces",
        "{value} is not none, synthetic, or a list of subjects such as samm/006",
        {"value": shown(value)},
    )


class Annotations(Settings):
    """How the rows of the databases' tables are read."""

    apex: Literal["drop", "midpoint"] = Field(
        "drop",
        description="An apex that is missing or out of order: `drop` excludes that image, "
        "`midpoint` takes the frame halfway between onset and offset.",
    )


class Frames(Settings):
    """How annotated frames are looked for on disk."""

    nearest_within: int = Field(
        2,
        ge=0,
        le=100_000,
        description="Where an annotated frame is missing, the nearest one at most this many "
        "frames away is taken and listed; 0 takes none.",
    )


class Grid(Settings):
    """The runs of an experiment: each model at each learning rate, repeated."""

    models: Names = Field(
        ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"],
        description="Networks: any classifier of torchvision, a module of training/networks, or a "
        "name listed under the top-level models.",
    )
    lrs: Annotated[list[LearningRate], Field(min_length=1), AfterValidator(unique)] = Field(
        ["1e-03", "1e-04", "1e-05"],
        description="Learning rates, quoted, since they are part of paths.",
    )
    repeats: int = Field(
        10, ge=1, le=10_000, description="Runs of each model and rate; they differ in their seed."
    )


class Experiment(Settings):
    """Everything that decides a result, except what the grid varies."""

    based_on: Name | None = Field(
        None,
        exclude=True,
        description="Another experiment whose values this one takes where it gives none.",
    )
    input: Name = Field("paper", description="One of `inputs`.")
    label_map: Annotated[dict[Name, Emotions], Field(min_length=2), OrName("label_map")] = Field(
        LABEL_MAP,
        description="The classes and the emotions in each, in lower case, or the name of a "
        "published map. Samples with any other emotion are excluded and counted.",
    )
    exclude_subjects: Subjects = Field(
        [], description="Subjects (database/subject) whose examples the split does not use."
    )
    same_person: People = Field(
        [],
        description="Lists of subjects (database/subject) that are one person each: never on two "
        "sides of a fold, and one subject in intervals.",
    )
    permute_labels: PermuteLabels | None = Field(
        None,
        description="A control: the labels are permuted before the split, so that they have no "
        "meaning. null: they are not.",
    )
    protocol: Annotated[SerializeAsAny[Variant], OneOf("protocol")] = Field(
        "random_images",
        validate_default=True,
        description="How examples are split into training, validation and test.",
    )
    parts: int = Field(
        1,
        ge=1,
        le=1000,
        description="How many jobs the folds of a run are divided among. Results do not depend on "
        "it.",
    )
    recipe: Recipe = Field({}, validate_default=True, description="How a network is trained.")
    trace: bool = Field(
        False,
        description="Whether the test examples are predicted after every epoch, to show what "
        "choosing the epoch on them would have claimed. Nothing else reads these predictions.",
    )
    grid: Grid = Field({}, validate_default=True, description="What is trained.")
    metrics: Names = Field(["accuracy", "uf1", "uar"], description="Modules of evaluation/metrics.")
    baselines: Names = Field(
        BASELINES,
        description="What a network has to beat: modules of evaluation/baselines. One that looks "
        "at motion is left out where the input is none.",
    )
    keep_models: Literal["all", "chosen", "none"] | None = Field(
        None,
        description="As the top-level keep_models, for this experiment. null: as that one if "
        "the protocol alone says how many folds there are, at most ten of them; none otherwise.",
    )


class Config(Settings):
    """A config file: the databases are required, everything else defaults to the paper."""

    results: PathText = Field("results", description="The folder that everything is written to.")
    databases: Annotated[
        dict[Name, Annotated[SerializeAsAny[DatabaseSettings], OneOf("reader", "reader")]],
        Field(min_length=1),
    ] = Field(
        description="The databases by the name that they are given here. A name that is also a "
        "reader's needs no `reader`."
    )
    annotations: Annotations = Field({}, validate_default=True, description="How tables are read.")
    frames: Frames = Field({}, validate_default=True, description="How frames are found.")
    crops: Annotated[dict[Name, CropSettings], Field(min_length=1)] = Field(
        {"paper": {}}, validate_default=True, description="Ways to cut faces out, by name."
    )
    inputs: Annotated[
        dict[Name, Annotated[SerializeAsAny[Variant], OneOf("input")]], Field(min_length=1)
    ] = Field(
        {"paper": {"kind": "image", "crop": "paper"}},
        validate_default=True,
        description="What a network is given, by name: each makes examples of the crops.",
    )
    models: dict[Name, Network] = Field(
        {},
        description="Networks of your own by the name that a grid lists: package.module:function.",
    )
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)] = Field(
        {"paper": {}}, validate_default=True, description="The experiments by name."
    )
    gpu_slots_per_device: int = Field(
        1, ge=1, le=1000, description="How many training jobs may share a GPU."
    )
    checkpoint_every_minutes: int = Field(
        5,
        ge=0,
        le=1_000_000,
        description="A run saves a checkpoint after an epoch if this much time has passed since "
        "the last one; 0: after every epoch.",
    )
    accept_losses: bool = Field(
        False,
        description="Whether a stage may leave out more than half of its input for "
        "reasons that the config did not ask for.",
    )
    allow_missing: bool = Field(
        False, description="Whether tables are made although runs failed, from those that did not."
    )
    keep_models: Literal["all", "chosen", "none"] = Field(
        "all",
        description="Which models stay on disk: all, those that are chosen by the paper or by "
        "validation, or none.",
    )
    show_faces: Annotated[
        Literal["none", "synthetic"] | Subjects, BeforeValidator(_whose_faces)
    ] = Field(
        "none",
        description="Whose faces figures may show: none, a list of subjects (database/subject), or "
        "synthetic for synthetic databases.",
    )
    synthetic: SyntheticSettings | None = Field(
        None, description="Synthetic databases, drawn in place of the real ones."
    )
