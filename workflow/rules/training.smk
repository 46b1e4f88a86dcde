# Training: one GPU job for every run (experiment, model, lr, repeat), or for each of its `parts`.
include: "functions/training.smk"


RUN = in_experiment(layout.RUN)
LOG_NAME = f"{{experiment}}/{layout.RUN_NAME}"
RETRIES = 2


rule training:
    input:
        all_weights(),
        of_experiments("estimate.json"),
        [runs(name, ["predictions.tsv", "run.json"]) for name in EXPERIMENTS],


# A checkpoint: fetching the same weights again retrains nothing. It has the highest priority, so
# that a missing file shows in the first minute, not after hours of cropping.
checkpoint fetch_weights:
    input:
        code=lambda w: code("training.weights", ("network", network_of_weights(w))),
        file=lambda w: [
            path for path in own_weights(w.source, w.model) if Path(path).is_file()
        ],
    output:
        result("weights/{source}/{model}.json"),
    log:
        result("logs/training/{source}_{model}.log"),
    benchmark:
        result("benchmarks/training/{source}_{model}.tsv")
    wildcard_constraints:
        source="(?!detectors/)[a-z0-9_]+",
    priority: 200
    localrule: True
    conda:
        "../../envs/training.yaml"
    params:
        network=network_of_weights,
        file=lambda w: [
            argument
            for path in own_weights(w.source, w.model)
            for argument in ("--file", path)
        ],
    message:
        "Fetching the weights of {wildcards.model}"
    shell:
        "python {input.code[0]:q} training.weights --network {params.network:q} "
        "{params.file:q} --output {output:q} > {log:q} 2>&1"


# What a grid takes in time and space: printed, and an error where the disk has less. By its priority
# it goes before the runs, in the place of one. It is no input of theirs, not even an ancient one:
# where it runs again while its file is there, Snakemake 9 would leave out new and changed runs. Code
# is ancient: an edit of it does not print the same again.
rule estimate_grid:
    input:
        code=lambda w: ancient(
            code("progress.estimate", balance_of(w), *networks_of(w))
        ),
        gate=in_experiment("split.json"),
        split=ancient(in_experiment("split.tsv")),
        folds=ancient(in_experiment("folds.tsv")),
    output:
        in_experiment("estimate.json"),
    log:
        result("logs/training/{experiment}/estimate_grid.log"),
    benchmark:
        result("benchmarks/training/{experiment}/estimate_grid.tsv")
    priority: 150
    localrule: True
    conda:
        "../../envs/evaluation.yaml"
    resources:
        gpu=1,
        keep_models=lambda w: folds.kept_models(config, experiment(w)),
    params:
        results=results_folder,
        grid=lambda w: as_json(experiment(w)["grid"]),
        parts=lambda w: experiment(w)["parts"],
        recipe=lambda w: as_json(experiment(w)["recipe"]),
        trace=lambda w: str(experiment(w)["trace"]),
    message:
        "Estimating what the runs of {wildcards.experiment} take"
    shell:
        "python {input.code[0]:q} progress.estimate --results {params.results:q} "
        "--experiment {wildcards.experiment:q} --grid {params.grid:q} --parts {params.parts:q} "
        "--recipe {params.recipe:q} --trace {params.trace:q} "
        "--keep-models {resources.keep_models:q} --gate {input.gate:q} --split {input.split:q} "
        "--folds {input.folds:q} --output {output:q} 2>&1 | tee {log:q}"


rule train:
    input:
        code=lambda w: code("training.run", *recipe_modules(w)),
        gate=in_experiment("split.json"),
        # Ancient: too large for Snakemake to compare; split.json changes when they do.
        split=ancient(in_experiment("split.tsv")),
        folds=ancient(in_experiment("folds.tsv")),
        examples=lambda w: ancient(of_databases("inputs/{input}/{database}.tsv")(w)),
        arrays=lambda w: ancient(of_databases("inputs/{input}/{database}.npy")(w)),
        weights=weights_of_run,
        action_units=action_units_of_run,
    output:
        history=f"{RUN}/history.tsv",
        predictions=f"{RUN}/predictions.tsv",
        metadata=f"{RUN}/run.json",
        models=directory(f"{RUN}/models"),
    log:
        result(f"logs/training/{LOG_NAME}.log"),
    benchmark:
        result(f"benchmarks/training/{LOG_NAME}.tsv")
    # A killed job resumes from its last checkpoint. On a cluster, the submitting process retries.
    retries: RETRIES if workflow.is_main_process else 0
    conda:
        "../../envs/training.yaml"
    threads: lambda w: experiment(w)["recipe"]["threads"]
    resources:
        gpu=1,
        # Not params: how devices are shared, when a run is saved, which models are kept and what
        # becomes of a run that does not fit (at its last try) change no result.
        gpu_slots_per_device=config["gpu_slots_per_device"],
        checkpoint_every_minutes=config["checkpoint_every_minutes"],
        keep_models=lambda w: str(folds.kept_models(config, experiment(w)) != "none"),
        allow_missing=lambda w, attempt: str(
            config["allow_missing"] and attempt > RETRIES
        ),
    params:
        network=network_of_run,
        recipe=lambda w: as_json(experiment(w)["recipe"]),
        parts=lambda w: experiment(w)["parts"],
        weights=weights_arguments,
        action_units=action_unit_arguments,
        # Undeclared: a rule's outputs are the same for all experiments. run.json has its digest.
        trace=trace_arguments,
        # Undeclared: Snakemake would remove it before it starts a job again.
        checkpoints=in_experiment(f"checkpoints/{layout.RUN_NAME}"),
    message:
        "Training {wildcards.model} at {wildcards.lr}, repeat {wildcards.repeat}, part {wildcards.part}"
    shell:
        "python {input.code[0]:q} training.run --gate {input.gate:q} --split {input.split:q} "
        "--folds {input.folds:q} --examples {input.examples:q} {params.action_units:q} "
        "--experiment {wildcards.experiment:q} --model {wildcards.model:q} --lr {wildcards.lr:q} "
        "--network {params.network:q} --repeat {wildcards.repeat:q} --part {wildcards.part:q} "
        "--parts {params.parts:q} --recipe {params.recipe:q} {params.weights:q} "
        "--gpu-slots-per-device {resources.gpu_slots_per_device:q} "
        "--checkpoint-every-minutes {resources.checkpoint_every_minutes:q} "
        "--allow-missing {resources.allow_missing:q} --keep-models {resources.keep_models:q} "
        "--checkpoints {params.checkpoints:q} --history {output.history:q} "
        "--predictions {output.predictions:q} --metadata {output.metadata:q} "
        "--models {output.models:q} {params.trace:q} > {log:q} 2>&1"
