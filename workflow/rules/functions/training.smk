# Input functions and params of training.smk.


def runs(name, files):
    """Files of every part of every run of an experiment's grid."""
    return [
        result(f"{job.folder}/{file}")
        for job in layout.training_jobs(config, name)
        for file in files
    ]


def weights_source(name):
    """The folder of an experiment's weights records: torchvision's, or the experiment's own."""
    return "imagenet" if EXPERIMENTS[name]["recipe"]["weights"] == "imagenet" else name


def own_weights(source, model):
    """The user's own weights file of a model; `{model}` in the config stands for its name."""
    if source == "imagenet":
        return []
    return [EXPERIMENTS[source]["recipe"]["weights"].replace("{model}", model)]


def weights_of_run(wildcards):
    """The weights record of a run's model."""
    source = weights_source(wildcards.experiment)
    pretrained = experiment(wildcards)["recipe"]["weights"] != "none"
    return [result(f"weights/{source}/{wildcards.model}.json")] if pretrained else []


def weights_of_grid(wildcards):
    """The weights records of all models of the grid, for jobs that read all runs."""
    if experiment(wildcards)["recipe"]["weights"] == "none":
        return []
    source = weights_source(wildcards.experiment)
    return [
        result(f"weights/{source}/{model}.json")
        for model in experiment(wildcards)["grid"]["models"]
    ]


def weights_arguments(wildcards):
    """The record of a run's weights and, if they are the user's own, their path."""
    if experiment(wildcards)["recipe"]["weights"] == "none":
        return []
    source = weights_source(wildcards.experiment)
    record = result(f"weights/{source}/{wildcards.model}.json")
    own = own_weights(source, wildcards.model)
    return ["--weights", record, *(["--weights-file", *own] if own else [])]


def action_units_of_run(wildcards):
    """The table of the action units that a run learns; none where it learns classes alone."""
    path = in_experiment("action_units.tsv").format(**wildcards)
    return [path] if experiment(wildcards)["recipe"]["auxiliary"] else []


def action_unit_arguments(wildcards):
    """The argument that says where these are."""
    return [
        word
        for path in action_units_of_run(wildcards)
        for word in ("--action-units", path)
    ]


def trace_arguments(wildcards):
    """The argument that says where a run's trace is written; none where it is not wanted."""
    path = in_experiment(f"{layout.RUN}/trace.tsv").format(**wildcards)
    return ["--trace", path] if experiment(wildcards)["trace"] else []


def all_weights():
    """The weights records of all grids, so that all are fetched before anything else."""
    return [
        result(f"weights/{weights_source(name)}/{model}.json")
        for name, block in EXPERIMENTS.items()
        if block["recipe"]["weights"] != "none"
        for model in block["grid"]["models"]
    ]


def networks_of(wildcards):
    """The networks of an experiment's grid, as `code` takes them."""
    grid = experiment(wildcards)["grid"]
    return [("network", network) for network in grid["networks"].values()]


def network_of_run(wildcards):
    """A run's network: the model's name, or package.module:function of the user's."""
    return experiment(wildcards)["grid"]["networks"][wildcards.model]


def network_of_weights(wildcards):
    """The network that weights are for; torchvision's are of its own networks."""
    return config["models"].get(wildcards.model, wildcards.model)


def balance_of(wildcards):
    """The module that balances the classes of a run's folds, as `code` takes it."""
    return ("balance", experiment(wildcards)["recipe"]["balance"]["kind"])


def recipe_modules(wildcards):
    """The modules that a run's recipe names, as `code` takes them."""
    recipe = experiment(wildcards)["recipe"]
    return [
        ("network", network_of_run(wildcards)),
        ("optimiser", recipe["optimiser"]["kind"]),
        ("schedule", recipe["schedule"]["kind"]),
        balance_of(wildcards),
        *(("augmentation", block["kind"]) for block in recipe["augmentations"]),
    ]
