# Input functions and params of evaluation.smk.


def metrics_of(name):
    """The metrics of an experiment, and those that its tables always need."""
    return sorted({*EXPERIMENTS[name]["metrics"], *ALWAYS_SCORED})


def run_files(wildcards):
    """What every run of an experiment leaves."""
    files = ["history.tsv", "predictions.tsv", "run.json"]
    return runs(wildcards.experiment, files)


def checkpoint_outputs(wildcards):
    """The checkpoints above the tables and figures, for jobs that read nothing of them.

    Snakemake compares a job with its results by checksum only if it names them: see splits.smk.
    """
    gate = in_experiment("split.json").format(experiment=wildcards.experiment)
    return ancient([gate, *weights_of_grid(wildcards)])
