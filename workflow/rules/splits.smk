# Splits: labels, and the role of each example in each fold, as the protocol says.
include: "functions/splits.smk"


rule splits:
    input:
        of_experiments("split.tsv"),
        [
            in_experiment("images").format(experiment=name)
            for name in EXPERIMENTS
            if folds.has_few_folds(config, EXPERIMENTS[name])
        ],


# The gate between the databases and the runs: split.json holds digests of the split and of the
# examples that it names. A checkpoint, so that what follows is compared by checksum: an edit
# upstream that leaves split.json as it was retrains nothing. Snakemake does that only for jobs that
# name an output of the checkpoint themselves, so every job downstream names split.json. The tables
# and arrays behind it are `ancient`, since Snakemake compares no file above 1 MB. The gate itself
# must run whenever anything upstream did, so it reads nothing of another checkpoint.
checkpoint draw_split:
    input:
        code=lambda w: code("splits.split", *protocol_and_input(w)),
        annotations=of_databases("annotations/{database}.tsv"),
        examples=of_databases("inputs/{input}/{database}.tsv"),
        # Ancient: too large to compare, and the tables hold their digests.
        arrays=lambda w: ancient(of_databases("inputs/{input}/{database}.npy")(w)),
    output:
        split=in_experiment("split.tsv"),
        folds=in_experiment("folds.tsv"),
        gate=in_experiment("split.json"),
        unused=in_experiment("unused.tsv"),
    log:
        result("logs/splits/{experiment}/draw_split.log"),
    benchmark:
        result("benchmarks/splits/{experiment}/draw_split.tsv")
    conda:
        "../../envs/evaluation.yaml"
    params:
        label_map=lambda w: as_json(label_map_of(w)),
        exclude_subjects=lambda w: experiment(w)["exclude_subjects"],
        same_person=lambda w: as_json(experiment(w)["same_person"]),
        protocol=lambda w: as_json(protocol_of(w)),
        repeats=redrawn_repeats,
        input_block=lambda w: as_json(input_of(w.experiment)),
        permute_labels=permute_arguments,
    message:
        "Splitting the examples of {wildcards.experiment}"
    shell:
        "python {input.code[0]:q} splits.split --annotations {input.annotations:q} "
        "--examples {input.examples:q} --label-map {params.label_map:q} "
        "--exclude-subjects {params.exclude_subjects:q} --same-person {params.same_person:q} "
        "--protocol {params.protocol:q} --repeats {params.repeats:q} "
        "--input {params.input_block:q} {params.permute_labels:q} --split {output.split:q} "
        "--folds {output.folds:q} --gate {output.gate:q} --unused {output.unused:q} > {log:q} 2>&1"


rule link_images:
    input:
        code=lambda w: code(
            "splits.image_folders", *named_variants("input", input_of(w.experiment))
        ),
        gate=in_experiment("split.json"),
        split=ancient(in_experiment("split.tsv")),
        faces=of_databases("faces/{crop}/{database}.tsv"),
        apexes=lambda w: found_apexes(experiment(w)["input"], DATABASES),
    output:
        directory(in_experiment("images")),
    log:
        result("logs/splits/{experiment}/link_images.log"),
    benchmark:
        result("benchmarks/splits/{experiment}/link_images.tsv")
    conda:
        "../../envs/databases.yaml"
    params:
        input_block=lambda w: as_json(input_of(w.experiment)),
        results=results_folder,
    message:
        "Linking the images of {wildcards.experiment}"
    shell:
        "python {input.code[0]:q} splits.image_folders --split {input.split:q} "
        "--faces {input.faces:q} --apexes {input.apexes:q} --input {params.input_block:q} "
        "--results {params.results:q} --output {output:q} > {log:q} 2>&1"
