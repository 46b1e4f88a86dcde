# Splits: label map, balance, and equation (1) of the paper.
include: "functions/splits.smk"


rule splits:
    input:
        of_experiments("split.tsv", "images"),


# The gate between the databases and the runs. A checkpoint, so that what follows is looked at again
# by checksums: an edit upstream that leaves images and labels as they were retrains nothing.
# Snakemake takes that second look only at jobs that name the checkpoint themselves, so every job
# downstream does (`split=`, ancient where the job reads nothing from it); and the gate itself must
# always run when anything upstream did, so it reads nothing from the other checkpoint.
checkpoint split_images:
    input:
        script=code("split_images.py"),
        tables=crop_tables,
    output:
        split=in_experiment("split.tsv"),
        unused=in_experiment("unused.tsv"),
        training=in_experiment("folds/1/training.tsv"),
        test=in_experiment("folds/1/test.tsv"),
    log:
        result("logs/splits/{experiment}.log"),
    benchmark:
        result("benchmarks/splits/{experiment}.tsv")
    conda:
        "../../envs/databases.yaml"
    params:
        results=results_folder,
        crop=lambda w: experiment(w)["crop"],
        databases=DATABASES,
        label_map=lambda w: as_json(experiment(w)["label_map"]),
        phases=lambda w: experiment(w)["phases"],
        settings=lambda w: as_json(experiment(w)["split"]),
    message:
        "Splitting the images of {wildcards.experiment}"
    shell:
        "python {input.script[0]:q} --results {params.results:q} --crop {params.crop:q} "
        "--databases {params.databases:q} --label-map {params.label_map:q} "
        "--phases {params.phases:q} --settings {params.settings:q} --split {output.split:q} "
        "--unused {output.unused:q} --training {output.training:q} --test {output.test:q} "
        "> {log:q} 2>&1"


rule link_images:
    input:
        script=code("link_images.py"),
        split=in_experiment("split.tsv"),
    output:
        directory(in_experiment("images")),
    log:
        result("logs/splits/{experiment}_images.log"),
    benchmark:
        result("benchmarks/splits/{experiment}_images.tsv")
    conda:
        "../../envs/databases.yaml"
    params:
        crops=lambda w: result(f"faces/{experiment(w)['crop']}"),
    message:
        "Linking the images of {wildcards.experiment}"
    shell:
        "python {input.script[0]:q} --split {input.split:q} --crops {params.crops:q} "
        "--output {output:q} > {log:q} 2>&1"
