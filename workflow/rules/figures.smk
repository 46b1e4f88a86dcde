# Figures of an experiment, each as .svg and .png.
include: "functions/figures.smk"


rule figures:
    input:
        [
            in_experiment(f"figures/{figure}{ending}").format(experiment=name)
            for name in EXPERIMENTS
            for figure in figures_of(name)
            for ending in (".svg", ".png")
        ],


# Every figure is drawn by a script of its own that is called in the same way.
rule figure_databases:
    input:
        script=code("figure_databases.py"),
        data=in_experiment("tables/databases.tsv"),
        split=ancient(in_experiment("split.tsv")),
    output:
        **figure("databases"),
    log:
        result("logs/figures/{experiment}/databases.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/databases.tsv")
    conda:
        "../../envs/figures.yaml"
    params:
        results=results_folder,
        arguments=[],
    message:
        "Drawing {output.svg}"
    shell:
        "python {input.script[0]:q} --results {params.results:q} "
        "--experiment {wildcards.experiment:q} {params.arguments:q} --svg {output.svg:q} "
        "--png {output.png:q} > {log:q} 2>&1"


use rule figure_databases as figure_classes with:
    input:
        script=code("figure_classes.py"),
        data=in_experiment("tables/classes.tsv"),
        split=ancient(in_experiment("split.tsv")),
    output:
        **figure("classes"),
    log:
        result("logs/figures/{experiment}/classes.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/classes.tsv")


use rule figure_databases as figure_cropping with:
    input:
        script=code("figure_cropping.py"),
        data=lambda w: expand(
            result("{folder}/{database}.tsv"),
            folder=["frames", f"faces/{experiment(w)['crop']}"],
            database=DATABASES,
        ),
        split=ancient(in_experiment("split.tsv")),
    output:
        **figure("cropping"),
    log:
        result("logs/figures/{experiment}/cropping.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/cropping.tsv")
    params:
        results=results_folder,
        arguments=lambda w: [
            *faces_arguments(w),
            "--frames",
            json.dumps(
                {
                    name: str(find.frames_root(block))
                    for name, block in config["databases"].items()
                }
            ),
        ],


use rule figure_databases as figure_validation_accuracy with:
    input:
        script=code("figure_validation_accuracy.py"),
        data=gathered(),
        split=settled,
    output:
        **figure("validation_accuracy_lr{lr}", "validation_accuracy"),
    log:
        result("logs/figures/{experiment}/validation_accuracy_lr{lr}.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/validation_accuracy_lr{lr}.tsv")
    params:
        results=results_folder,
        arguments=lambda w: ["--lr", w.lr],


use rule figure_databases as figure_learning_rates with:
    input:
        script=code("figure_learning_rates.py"),
        data=gathered(),
        split=settled,
    output:
        **figure("learning_rates"),
    log:
        result("logs/figures/{experiment}/learning_rates.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/learning_rates.tsv")


use rule figure_databases as figure_losses with:
    input:
        script=code("figure_losses.py"),
        data=gathered(),
        split=settled,
    output:
        **figure("losses"),
    log:
        result("logs/figures/{experiment}/losses.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/losses.tsv")


use rule figure_databases as figure_confusion with:
    input:
        script=code("figure_confusion.py"),
        data=gathered(),
        split=settled,
    output:
        **figure("confusion"),
    log:
        result("logs/figures/{experiment}/confusion.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/confusion.tsv")


use rule figure_databases as figure_confused_pair with:
    input:
        script=code("figure_confused_pair.py"),
        data=in_experiment("tables/table3_confused_pairs.tsv"),
        split=in_experiment("split.tsv"),
        runs=settled,
        faces=lambda w: expand(
            result("faces/{crop}/{database}.tsv"),
            crop=experiment(w)["crop"],
            database=DATABASES,
        ),
    output:
        **figure("confused_pair"),
    log:
        result("logs/figures/{experiment}/confused_pair.log"),
    benchmark:
        result("benchmarks/figures/{experiment}/confused_pair.tsv")
    params:
        results=results_folder,
        arguments=faces_arguments,
