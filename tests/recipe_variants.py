"""Recipes that name each optimiser, schedule and augmentation once, and every other way to fit."""

from typing import Any

from fleeting import registry

#: By a name for the test's output.
VARIANTS: dict[str, dict[str, Any]] = {
    **{name: {"optimiser": name} for name in registry.names("optimiser")},
    "momentum": {"optimiser": {"kind": "sgd", "momentum": 0.9, "nesterov": True}},
    **{name: {"schedule": name, "warmup": 0.2} for name in registry.names("schedule")},
    **{name: {"augmentations": [name]} for name in registry.names("augmentation")},
    "several": {"augmentations": ["shift", "mixup", "horizontal_flip"], "accumulation": 2},
    "label_smoothing": {"label_smoothing": 0.1, "balance": "class_weights"},
    "auxiliary": {"auxiliary": {"action_units": [4, 12]}, "balance": "class_weights"},
    "auxiliary_mixed": {
        "auxiliary": {"action_units": [1, 4], "weight": 2},
        "augmentations": ["mixup", "horizontal_flip"],
        "accumulation": 2,
        "weight_average": 0.9,
    },
    "weight_average": {"weight_average": 0.9, "tested_epoch": "best_validation"},
    "early_stopping": {"early_stopping": 1, "weight_average": 0.5},
}
