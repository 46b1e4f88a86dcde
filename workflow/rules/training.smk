# Training: one GPU job for every (experiment, model, lr, repeat, fold).
include: "functions/training.smk"


RUN = "runs/{model}/lr{lr}/repeat{repeat}/fold{fold}"
RETRIES = 2


rule training:
    input:
        all_weights(),
        [runs(name, ["history.tsv", "run.json"]) for name in EXPERIMENTS],


# A checkpoint: fetching the same weights again retrains nothing. First in priority: a missing file
# shows in the first minute, not after hours of cropping.
checkpoint fetch_weights:
    input:
        script=lambda w: code("fetch_weights.py", ("model", w.model)),
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
        file=lambda w: [f"--file={path}" for path in own_weights(w.source, w.model)],
    message:
        "Fetching the weights of {wildcards.model}"
    shell:
        "python {input.script[0]:q} --model {wildcards.model:q} {params.file:q} "
        "--output {output:q} > {log:q} 2>&1"


# Every image decoded once for all runs. A checkpoint like the split: packing the same pixels again
# retrains nothing.
checkpoint pack_images:
    input:
        script=code("pack_images.py"),
        images=in_experiment("folds/{fold}/{part}.tsv"),
    output:
        pixels=in_experiment("folds/{fold}/{part}.npy"),
        record=in_experiment("folds/{fold}/{part}.json"),
    log:
        result("logs/training/{experiment}/pack_fold{fold}_{part}.log"),
    benchmark:
        result("benchmarks/training/{experiment}/pack_fold{fold}_{part}.tsv")
    wildcard_constraints:
        part="training|test",
    conda:
        "../../envs/vision.yaml"
    params:
        results=results_folder,
    message:
        "Packing the {wildcards.part} images of {wildcards.experiment}, fold {wildcards.fold}"
    shell:
        "python {input.script[0]:q} --images {input.images:q} --results {params.results:q} "
        "> {log:q} 2>&1"


rule train:
    input:
        script=lambda w: code("train.py", ("model", w.model)),
        images=in_experiment("folds/{fold}/training.tsv"),
        packed=in_experiment("folds/{fold}/training.json"),
        # Ancient: the pixels are too much to compare, their record says when they are new.
        pixels=ancient(in_experiment("folds/{fold}/training.npy")),
        weights=weights_of_grid,
    output:
        history=in_experiment(f"{RUN}/history.tsv"),
        record=in_experiment(f"{RUN}/run.json"),
        model=kept(in_experiment(f"{RUN}/model.pt")),
    log:
        result(
            "logs/training/{experiment}/{model}_lr{lr}_repeat{repeat}_fold{fold}.log"
        ),
    benchmark:
        result(
            "benchmarks/training/{experiment}/{model}_lr{lr}_repeat{repeat}_fold{fold}.tsv"
        )
    # A killed job goes on from its last checkpoint. A cluster's job is tried again by whoever submits.
    retries: RETRIES if workflow.is_main_process else 0
    conda:
        "../../envs/training.yaml"
    threads: lambda w: experiment(w)["recipe"]["threads"]
    resources:
        gpu=1,
        # No params: who shares a device with whom, when a run is saved and what becomes of one that
        # does not fit (at the last of its tries) change no result.
        gpu_slots_per_device=config["gpu_slots_per_device"],
        checkpoint_every_minutes=config["checkpoint_every_minutes"],
        allow_missing=lambda w, attempt: str(
            config["allow_missing"] and attempt > RETRIES
        ),
    params:
        recipe=lambda w: as_json(experiment(w)["recipe"]),
        weights=weights_arguments,
        folder=lambda w, output: os.path.dirname(output.history),
        # Undeclared: Snakemake would remove it before it starts a job again.
        checkpoints=in_experiment(
            "checkpoints/{model}_lr{lr}_repeat{repeat}_fold{fold}"
        ),
    message:
        "Training {wildcards.model} at {wildcards.lr}, repeat {wildcards.repeat}, fold {wildcards.fold}"
    shell:
        "python {input.script[0]:q} --images {input.images:q} "
        "--experiment {wildcards.experiment:q} --model {wildcards.model:q} "
        "--lr {wildcards.lr:q} --repeat {wildcards.repeat:q} --fold {wildcards.fold:q} "
        "--recipe {params.recipe:q} {params.weights:q} "
        "--gpu-slots-per-device {resources.gpu_slots_per_device:q} "
        "--checkpoint-every-minutes {resources.checkpoint_every_minutes:q} "
        "--allow-missing {resources.allow_missing:q} "
        "--checkpoints {params.checkpoints:q} --output {params.folder:q} "
        "> {log:q} 2>&1"
