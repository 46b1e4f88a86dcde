# Faces: detected, cut out and resized, a job for every database.
include: "functions/faces.smk"


rule faces:
    input:
        fetched_detectors(),
        expand(
            result("faces/{crop}/{database}.tsv"),
            crop=layout.crops(config),
            database=DATABASES,
        ),


# The record is small: crops depend on its bytes, never on the time of a large file.
rule fetch_detector:
    input:
        code=lambda w: code("faces.fetch", ("detector", w.detector)),
    output:
        record=result("weights/detectors/{detector}.json"),
        folder=directory(result("weights/detectors/{detector}")),
    log:
        result("logs/faces/fetch_{detector}.log"),
    benchmark:
        result("benchmarks/faces/fetch_{detector}.tsv")
    priority: 100
    localrule: True
    conda:
        "../../envs/vision.yaml"
    message:
        "Fetching the detector {wildcards.detector}"
    shell:
        "python {input.code[0]:q} faces.fetch --detector {wildcards.detector:q} "
        "--weights {output.folder:q} --record {output.record:q} > {log:q} 2>&1"


# The crops are not declared, since Snakemake would remove them all before the job crops those of one
# more sample. The table has the sha256 of each.
rule crop:
    input:
        code=lambda w: code("faces.crop", ("detector", detector_of(w.crop)["kind"])),
        frames=database_frames,
        detector=detector_files,
    output:
        faces=result("faces/{crop}/{database}.tsv"),
        excluded=result("faces/{crop}/{database}.excluded.tsv"),
    log:
        result("logs/faces/{crop}/{database}.log"),
    benchmark:
        result("benchmarks/faces/{crop}/{database}.tsv")
    conda:
        "../../envs/vision.yaml"
    threads: 2
    resources:
        accept_losses=accept_losses,
    params:
        results=results_folder,
        root=lambda w: frames_root(w.database),
        source=lambda w: config["databases"][w.database]["source"],
        settings=lambda w: as_json(config["crops"][w.crop]),
        weights=weights_argument,
    message:
        "Cropping the faces of {wildcards.database}"
    shell:
        "python {input.code[0]:q} faces.crop --results {params.results:q} "
        "--crop {wildcards.crop:q} --database {wildcards.database:q} --root {params.root:q} "
        "--source {params.source:q} --settings {params.settings:q} --frames {input.frames:q} "
        "{params.weights:q} --detector-files {input.detector:q} --threads {threads} "
        "--accept-losses {resources.accept_losses:q} --faces {output.faces:q} "
        "--excluded {output.excluded:q} > {log:q} 2>&1"
