# What the rules of training.smk ask before they run.


def weights_source(name):
    """The folder of an experiment's weights records: torchvision's, or the experiment's own."""
    return "imagenet" if EXPERIMENTS[name]["recipe"]["weights"] == "imagenet" else name


def own_weights(source, model):
    """The user's own weights file of a model; `{model}` in the config stands for its name."""
    if source == "imagenet":
        return []
    return [EXPERIMENTS[source]["recipe"]["weights"].replace("{model}", model)]


def weights_of_grid(wildcards):
    """The weights records of all models of the grid: no run starts before the last is there."""
    if experiment(wildcards)["recipe"]["weights"] == "none":
        return []
    source = weights_source(wildcards.experiment)
    return [
        result(f"weights/{source}/{model}.json")
        for model in experiment(wildcards)["grid"]["models"]
    ]


def weights_arguments(wildcards):
    """The record of a run's weights and, if they are the user's own, their place."""
    if experiment(wildcards)["recipe"]["weights"] == "none":
        return []
    source = weights_source(wildcards.experiment)
    record = result(f"weights/{source}/{wildcards.model}.json")
    own = own_weights(source, wildcards.model)
    return ["--weights", record, *(["--weights-file", *own] if own else [])]


def kept(path):
    """A model file, removed after its last use unless all models are kept."""
    return path if config["keep_models"] == "all" else temp(path)


def all_weights():
    """The weights records of all grids, so that all are fetched before anything else."""
    return [
        result(f"weights/{weights_source(name)}/{model}.json")
        for name, block in EXPERIMENTS.items()
        if block["recipe"]["weights"] != "none"
        for model in block["grid"]["models"]
    ]
