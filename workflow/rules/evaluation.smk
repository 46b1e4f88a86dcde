# Evaluation: each run tested once, runs gathered, tables of an experiment.
include: "functions/evaluation.smk"


GATHERED = [
    "runs",
    "curves",
    "repeat_reports",
    "reports",
    "confusions",
    "unseen",
    "choices",
]


rule evaluation:
    input:
        [
            in_experiment(f"tables/{table}.tsv").format(experiment=name)
            for name in EXPERIMENTS
            for table in tables_of(name)
        ],
        of_experiments("models") if config["keep_models"] == "chosen" else [],


rule test:
    input:
        script=lambda w: code("predict.py", ("model", w.model)),
        record=in_experiment(f"{RUN}/run.json"),
        # Ancient: a model is too large for Snakemake to compare, its record says when it is new.
        model=ancient(in_experiment(f"{RUN}/model.pt")),
        images=in_experiment("folds/{fold}/test.tsv"),
        packed=in_experiment("folds/{fold}/test.json"),
        pixels=ancient(in_experiment("folds/{fold}/test.npy")),
        split=settled,
    output:
        predictions=in_experiment(f"{RUN}/predictions.tsv"),
        unseen=in_experiment(f"{RUN}/unseen_predictions.tsv"),
    log:
        result(
            "logs/evaluation/{experiment}/{model}_lr{lr}_repeat{repeat}_fold{fold}.log"
        ),
    benchmark:
        result(
            "benchmarks/evaluation/{experiment}/{model}_lr{lr}_repeat{repeat}_fold{fold}.tsv"
        )
    conda:
        "../../envs/training.yaml"
    threads: lambda w: experiment(w)["recipe"]["threads"]
    resources:
        gpu=1,
        gpu_slots_per_device=config["gpu_slots_per_device"],
    message:
        "Testing {wildcards.model} at {wildcards.lr}, repeat {wildcards.repeat}, fold {wildcards.fold}"
    shell:
        "python {input.script[0]:q} --record {input.record:q} --model {input.model:q} "
        "--images {input.images:q} "
        "--gpu-slots-per-device {resources.gpu_slots_per_device:q} --predictions {output.predictions:q} --unseen {output.unseen:q} > {log:q} 2>&1"


rule collect_runs:
    input:
        script=code("collect_runs.py"),
        runs=test_files,
        split=settled,
    output:
        gathered(),
    log:
        result("logs/evaluation/{experiment}/collect_runs.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/collect_runs.tsv")
    conda:
        "../../envs/evaluation.yaml"
    params:
        results=results_folder,
        grid=grid,
        allow_missing=["--allow-missing"] if config["allow_missing"] else [],
    message:
        "Gathering the runs of {wildcards.experiment}"
    shell:
        "python {input.script[0]:q} --results {params.results:q} "
        "--experiment {wildcards.experiment:q} --grid {params.grid:q} "
        "{params.allow_missing:q} > {log:q} 2>&1"


# Every table is made by a script of its own that is called in the same way.
rule table_all_runs:
    input:
        script=code("table_all_runs.py"),
        data=gathered(),
        split=settled,
    output:
        **table("all_runs"),
    log:
        result("logs/evaluation/{experiment}/table_all_runs.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_all_runs.tsv")
    conda:
        "../../envs/evaluation.yaml"
    params:
        results=results_folder,
        arguments=[],
    message:
        "Writing {output.table}"
    shell:
        "python {input.script[0]:q} --results {params.results:q} "
        "--experiment {wildcards.experiment:q} {params.arguments:q} "
        "--output {output.table:q} > {log:q} 2>&1"


use rule table_all_runs as table_test_metrics with:
    input:
        script=code("table_test_metrics.py"),
        data=gathered(),
        split=settled,
    output:
        **table("table2_test_metrics", "md", "tex"),
    log:
        result("logs/evaluation/{experiment}/table_test_metrics.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_test_metrics.tsv")


use rule table_all_runs as table_confused_pairs with:
    input:
        script=code("table_confused_pairs.py"),
        data=gathered(),
        split=settled,
    output:
        **table("table3_confused_pairs", "md", "tex"),
    log:
        result("logs/evaluation/{experiment}/table_confused_pairs.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_confused_pairs.tsv")


use rule table_all_runs as table_unseen_subjects with:
    input:
        script=code("table_unseen_subjects.py"),
        data=gathered(),
        split=settled,
    output:
        **table("unseen_subjects"),
    log:
        result("logs/evaluation/{experiment}/table_unseen_subjects.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_unseen_subjects.tsv")


use rule table_all_runs as table_paper_comparison with:
    input:
        script=code("table_paper_comparison.py"),
        data=gathered(),
        split=settled,
    output:
        **table("paper_comparison"),
    log:
        result("logs/evaluation/{experiment}/table_paper_comparison.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_paper_comparison.tsv")
    params:
        results=results_folder,
        arguments=lambda w: [
            "--databases",
            ",".join(DATABASES),
            "--settings",
            as_json(
                {key: experiment(w)[key] for key in ("label_map", "phases", "split")}
            ),
            "--size",
            config["crops"][experiment(w)["crop"]]["size"],
        ],


use rule table_all_runs as table_databases with:
    input:
        script=code("table_databases.py"),
        tables=leftovers,
        split=in_experiment("split.tsv"),
        unused=in_experiment("unused.tsv"),
    output:
        **table("databases"),
    log:
        result("logs/evaluation/{experiment}/table_databases.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_databases.tsv")
    params:
        results=results_folder,
        arguments=crop_and_databases,


use rule table_databases as table_excluded with:
    input:
        script=code("table_excluded.py"),
        tables=leftovers,
        split=ancient(in_experiment("split.tsv")),
    output:
        **table("excluded"),
    log:
        result("logs/evaluation/{experiment}/table_excluded.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_excluded.tsv")


use rule table_all_runs as table_unused with:
    input:
        script=code("table_unused.py"),
        split=in_experiment("unused.tsv"),
    output:
        **table("unused"),
    log:
        result("logs/evaluation/{experiment}/table_unused.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_unused.tsv")


use rule table_all_runs as table_classes with:
    input:
        script=code("table_classes.py"),
        split=in_experiment("split.tsv"),
        unused=in_experiment("unused.tsv"),
    output:
        **table("classes"),
    log:
        result("logs/evaluation/{experiment}/table_classes.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_classes.tsv")
    params:
        results=results_folder,
        arguments=lambda w: [
            "--databases",
            ",".join(DATABASES),
            "--settings",
            as_json(
                {key: experiment(w)[key] for key in ("label_map", "phases", "split")}
            ),
        ],


use rule table_all_runs as table_structure with:
    input:
        script=lambda w: code(
            "table_structure.py",
            *(("model", model) for model in experiment(w)["grid"]["models"]),
        ),
        split=in_experiment("split.tsv"),
    output:
        **table("table1_structure", "md", "tex"),
    log:
        result("logs/evaluation/{experiment}/table_structure.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/table_structure.tsv")
    params:
        results=results_folder,
        arguments=lambda w: [
            "--models",
            ",".join(experiment(w)["grid"]["models"]),
            "--size",
            config["crops"][experiment(w)["crop"]]["size"],
        ],


# With `keep_models: chosen`, the models of the two choices outlive the others.
rule keep_models:
    input:
        script=code("keep_models.py"),
        choices=in_experiment("evaluation/choices.tsv"),
        runs=in_experiment("evaluation/runs.tsv"),
        models=lambda w: ancient(runs(w.experiment, ["model.pt"])),
        split=settled,
    output:
        directory(in_experiment("models")),
    log:
        result("logs/evaluation/{experiment}/keep_models.log"),
    benchmark:
        result("benchmarks/evaluation/{experiment}/keep_models.tsv")
    conda:
        "../../envs/evaluation.yaml"
    params:
        results=results_folder,
        grid=grid,
    message:
        "Keeping the chosen models of {wildcards.experiment}"
    shell:
        "python {input.script[0]:q} --results {params.results:q} "
        "--experiment {wildcards.experiment:q} --grid {params.grid:q} "
        "--output {output:q} > {log:q} 2>&1"
