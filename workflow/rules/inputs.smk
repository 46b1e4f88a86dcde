# Inputs: examples made of the crops, each an array, packed once for all experiments.
include: "functions/inputs.smk"


rule inputs:
    input:
        expand(
            result("inputs/{name}/{database}.tsv"),
            name=layout.inputs(config),
            database=DATABASES,
        ),
        expand(
            result("inputs/{name}/{database}.motion.tsv"),
            name=[
                name
                for name in layout.inputs(config)
                if layout.measures_motion(config, name)
            ],
            database=DATABASES,
        ),


# For inputs that ask for it.
rule find_apex:
    input:
        code=lambda w: code(
            "examples.find_apex", *named_variants("apex", apex_of(w.input_name))
        ),
        annotations=result("annotations/{database}.tsv"),
        faces=input_faces,
    output:
        result("inputs/{input_name}/{database}.apexes.tsv"),
    log:
        result("logs/inputs/{input_name}/{database}.apexes.log"),
    benchmark:
        result("benchmarks/inputs/{input_name}/{database}.apexes.tsv")
    conda:
        "../../envs/vision.yaml"
    threads: 2
    params:
        results=results_folder,
        settings=lambda w: as_json(apex_of(w.input_name)),
    message:
        "Searching for the apex of the clips of {wildcards.database} for {wildcards.input_name}"
    shell:
        "python {input.code[0]:q} examples.find_apex --name {wildcards.input_name:q} "
        "--database {wildcards.database:q} --settings {params.settings:q} "
        "--annotations {input.annotations:q} --faces {input.faces:q} "
        "--results {params.results:q} --threads {threads} --apexes {output:q} > {log:q} 2>&1"


rule pack_inputs:
    input:
        code=lambda w: code(
            "examples.pack", *named_variants("input", config["inputs"][w.input_name])
        ),
        annotations=result("annotations/{database}.tsv"),
        faces=input_faces,
        apexes=lambda w: found_apexes(w.input_name, [w.database]),
    output:
        table=result("inputs/{input_name}/{database}.tsv"),
        arrays=result("inputs/{input_name}/{database}.npy"),
        hashes=result("inputs/{input_name}/{database}.hashes.tsv"),
        excluded=result("inputs/{input_name}/{database}.excluded.tsv"),
    log:
        result("logs/inputs/{input_name}/{database}.log"),
    benchmark:
        result("benchmarks/inputs/{input_name}/{database}.tsv")
    conda:
        "../../envs/vision.yaml"
    threads: 2
    resources:
        accept_losses=accept_losses,
    params:
        results=results_folder,
        settings=lambda w: as_json(config["inputs"][w.input_name]),
    message:
        "Packing the examples of {wildcards.database} for the input {wildcards.input_name}"
    shell:
        "python {input.code[0]:q} examples.pack --name {wildcards.input_name:q} "
        "--database {wildcards.database:q} --settings {params.settings:q} "
        "--annotations {input.annotations:q} --faces {input.faces:q} "
        "--apexes {input.apexes:q} --results {params.results:q} --threads {threads} "
        "--accept-losses {resources.accept_losses:q} "
        "--table {output.table:q} --arrays {output.arrays:q} "
        "--hashes {output.hashes:q} --excluded {output.excluded:q} > {log:q} 2>&1"


# How much moves in each clip, beside its noise floor: only of inputs of motion.
rule measure_motion:
    input:
        code=lambda w: code(
            "examples.measure_motion",
            *named_variants("input", config["inputs"][w.input_name]),
        ),
        faces=input_faces,
        apexes=lambda w: found_apexes(w.input_name, [w.database]),
        examples=result("inputs/{input_name}/{database}.tsv"),
        # Ancient: too large to compare, and the table holds their digests.
        arrays=ancient(result("inputs/{input_name}/{database}.npy")),
    output:
        result("inputs/{input_name}/{database}.motion.tsv"),
    log:
        result("logs/inputs/{input_name}/{database}.motion.log"),
    benchmark:
        result("benchmarks/inputs/{input_name}/{database}.motion.tsv")
    conda:
        "../../envs/vision.yaml"
    threads: 2
    params:
        results=results_folder,
        settings=lambda w: as_json(config["inputs"][w.input_name]),
    message:
        "Measuring the motion in {wildcards.input_name} of {wildcards.database}"
    shell:
        "python {input.code[0]:q} examples.measure_motion --name {wildcards.input_name:q} "
        "--database {wildcards.database:q} --settings {params.settings:q} "
        "--faces {input.faces:q} --apexes {input.apexes:q} --examples {input.examples:q} "
        "--results {params.results:q} --threads {threads} --motion {output:q} > {log:q} 2>&1"
