# Evaluation: the runs of an experiment summarised, its baselines predicted and scored, its subjects
# and databases recognised, and the models that no choice is about removed (`keep_models: chosen`).
# tables.smk and figures.smk show what they write.
include: "functions/evaluation.smk"


SUMMARIES = [
    "runs",
    "curves",
    "confusions",
    "choices",
    "nested",
    "intervals",
    "subject_counts",
    "best_of_runs",
    "best_epochs",
]


rule summarise_runs:
    input:
        code=lambda w: code(
            "evaluation.summarise_runs",
            *(("metric", name) for name in metrics_of(w.experiment)),
        ),
        runs=run_files,
        gate=in_experiment("split.json"),
        split=ancient(in_experiment("split.tsv")),
        folds=ancient(in_experiment("folds.tsv")),
        weights=lambda w: ancient(weights_of_grid(w)),
    output:
        **{name: in_experiment(f"evaluation/{name}.tsv") for name in SUMMARIES},
        scores=in_experiment("scores.tsv"),
    log:
        result("logs/evaluation/{experiment}/summarise_runs.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/summarise_runs.tsv")
    conda:
        "../../envs/evaluation.yaml"
    params:
        results=results_folder,
        grid=lambda w: as_json(experiment(w)["grid"]),
        parts=lambda w: experiment(w)["parts"],
        metrics=lambda w: experiment(w)["metrics"],
        allow_missing=str(config["allow_missing"]),
        trace=lambda w: str(experiment(w)["trace"]),
    message:
        "Summarising the runs of {wildcards.experiment}"
    shell:
        "python {input.code[0]:q} evaluation.summarise_runs --results {params.results:q} "
        "--experiment {wildcards.experiment:q} --grid {params.grid:q} --parts {params.parts:q} "
        "--metrics {params.metrics:q} --allow-missing {params.allow_missing:q} "
        "--trace {params.trace:q} "
        "--gate {input.gate:q} --split {input.split:q} --folds {input.folds:q} "
        "--scores {output.scores:q} --runs {output.runs:q} --curves {output.curves:q} "
        "--confusions {output.confusions:q} --choices {output.choices:q} "
        "--nested {output.nested:q} --intervals {output.intervals:q} "
        "--subject-counts {output.subject_counts:q} "
        "--best-of-runs {output.best_of_runs:q} "
        "--best-epochs {output.best_epochs:q} "
        "> {log:q} 2>&1"


# What a network has to beat, predicted and scored in one job.
rule run_baselines:
    input:
        code=lambda w: code(
            "evaluation.run_baselines",
            *(("baseline", name) for name in experiment(w)["baselines"]),
            *(("metric", name) for name in metrics_of(w.experiment)),
        ),
        # As a training job, it runs again where split.json changes: see splits.smk.
        gate=in_experiment("split.json"),
        split=ancient(in_experiment("split.tsv")),
        folds=ancient(in_experiment("folds.tsv")),
        examples=lambda w: ancient(of_databases("inputs/{input}/{database}.tsv")(w)),
        arrays=lambda w: ancient(of_databases("inputs/{input}/{database}.npy")(w)),
    output:
        predictions=directory(in_experiment("baselines")),
        scores=in_experiment("evaluation/baselines.tsv"),
        counts=in_experiment("evaluation/baseline_counts.tsv"),
    log:
        result("logs/evaluation/{experiment}/run_baselines.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/run_baselines.tsv")
    conda:
        "../../envs/evaluation.yaml"
    params:
        baselines=lambda w: experiment(w)["baselines"],
        metrics=lambda w: experiment(w)["metrics"],
    message:
        "Predicting the test examples of {wildcards.experiment} by baselines"
    shell:
        "python {input.code[0]:q} evaluation.run_baselines --gate {input.gate:q} "
        "--split {input.split:q} --folds {input.folds:q} --examples {input.examples:q} "
        "--baselines {params.baselines:q} --metrics {params.metrics:q} "
        "--predictions {output.predictions:q} --scores {output.scores:q} "
        "--counts {output.counts:q} > {log:q} 2>&1"


# The split and the arrays are ancient as for the runs: see splits.smk.
rule identify:
    input:
        code=code("evaluation.identity"),
        gate=in_experiment("split.json"),
        split=ancient(in_experiment("split.tsv")),
        examples=lambda w: ancient(of_databases("inputs/{input}/{database}.tsv")(w)),
        arrays=lambda w: ancient(of_databases("inputs/{input}/{database}.npy")(w)),
    output:
        in_experiment("evaluation/identity.tsv"),
    log:
        result("logs/evaluation/{experiment}/identify.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/identify.tsv")
    conda:
        "../../envs/evaluation.yaml"
    message:
        "Measuring how well subjects and databases are recognised from the examples of "
        "{wildcards.experiment}"
    shell:
        "python {input.code[0]:q} evaluation.identity --split {input.split:q} "
        "--examples {input.examples:q} --output {output:q} > {log:q} 2>&1"


# With `keep_models: chosen`: all models are removed but those that a choice is about.
rule retain_models:
    input:
        code=code("evaluation.retain_models"),
        choices=in_experiment("evaluation/choices.tsv"),
        nested=in_experiment("evaluation/nested.tsv"),
        models=lambda w: ancient(runs(w.experiment, ["models"])),
        checkpoints=checkpoint_outputs,
    output:
        in_experiment("evaluation/retained_models.tsv"),
    log:
        result("logs/evaluation/{experiment}/retain_models.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/retain_models.tsv")
    conda:
        "../../envs/evaluation.yaml"
    params:
        results=results_folder,
        grid=lambda w: as_json(experiment(w)["grid"]),
        parts=lambda w: experiment(w)["parts"],
    message:
        "Removing the models of {wildcards.experiment} that were not chosen"
    shell:
        "python {input.code[0]:q} evaluation.retain_models --results {params.results:q} "
        "--experiment {wildcards.experiment:q} --grid {params.grid:q} --parts {params.parts:q} "
        "--choices {input.choices:q} --nested {input.nested:q} --output {output:q} > {log:q} 2>&1"
