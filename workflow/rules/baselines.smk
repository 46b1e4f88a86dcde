# Baselines: what a network has to beat, predicted and scored in one job for each experiment.
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
        "--predictions {output.predictions:q} --scores {output.scores:q} > {log:q} 2>&1"
