# Faces: detected, cut out and resized, a job for every subject of every database.
include: "functions/faces.smk"


rule faces:
    input:
        fetched_detectors(),
        expand(
            result("faces/{crop}/{database}.tsv"),
            crop=sorted({block["crop"] for block in EXPERIMENTS.values()}),
            database=DATABASES,
        ),


# The record is small: crops depend on its bytes, never on the time of a large file.
rule fetch_detector:
    input:
        script=lambda w: code("fetch_detector.py", ("detector", w.detector)),
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
        "python {input.script[0]:q} --detector {wildcards.detector:q} "
        "--weights {output.folder:q} --record {output.record:q} > {log:q} 2>&1"


rule crop:
    input:
        script=lambda w: code("crop.py", ("detector", detector_of(w))),
        frames=subject_frames,
        weights=detector_weights,
    output:
        faces=result("faces/{crop}/{database}/{subject}.tsv"),
        excluded=result("faces/{crop}/{database}/{subject}.excluded.tsv"),
        crops=directory(result("faces/{crop}/{database}/{subject}")),
    log:
        result("logs/faces/{crop}/{database}/{subject}.log"),
    benchmark:
        result("benchmarks/faces/{crop}/{database}/{subject}.tsv")
    conda:
        "../../envs/vision.yaml"
    params:
        results=results_folder,
        frames=frames_root,
        source=lambda w: config["databases"][w.database]["source"],
        settings=lambda w: as_json(config["crops"][w.crop]),
        weights=detector_arguments,
    message:
        "Cropping {wildcards.database}, subject {wildcards.subject}"
    shell:
        "python {input.script[0]:q} --results {params.results:q} --crop {wildcards.crop:q} "
        "--database {wildcards.database:q} --subject {wildcards.subject:q} "
        "--frames-table {input.frames:q} --frames {params.frames:q} --source {params.source:q} "
        "--settings {params.settings:q} {params.weights:q} --faces {output.faces:q} "
        "--excluded {output.excluded:q} --crops {output.crops:q} > {log:q} 2>&1"


rule gather_faces:
    input:
        script=code("gather_faces.py"),
        subjects=subject_faces,
        frames=result("frames/{database}.tsv"),
    output:
        faces=result("faces/{crop}/{database}.tsv"),
        excluded=result("faces/{crop}/{database}.excluded.tsv"),
    log:
        result("logs/faces/{crop}/{database}.log"),
    benchmark:
        result("benchmarks/faces/{crop}/{database}.tsv")
    conda:
        "../../envs/vision.yaml"
    params:
        folder=lambda w: result(f"faces/{w.crop}/{w.database}"),
        subjects=lambda w: result(f"frames/{w.database}"),
    message:
        "Gathering the crops of {wildcards.database}"
    shell:
        "python {input.script[0]:q} --crop {wildcards.crop:q} --database {wildcards.database:q} "
        "--folder {params.folder:q} --subjects-folder {params.subjects:q} "
        "--frames-table {input.frames:q} --faces {output.faces:q} "
        "--excluded {output.excluded:q} > {log:q} 2>&1"
