# Frames: those that a selection names, such as onset, apex and offset of every sample, on disk.
include: "functions/frames.smk"


rule frames:
    input:
        [
            result(f"frames/{selection}/{database}.tsv")
            for selection in selections()
            for database in DATABASES
        ],


rule select_frames:
    input:
        code=lambda w: code("frames.select", reader_of(w), selection_of(w)),
        annotations=result("annotations/{database}.tsv"),
    output:
        frames=result("frames/{selection}/{database}.tsv"),
        excluded=result("frames/{selection}/{database}.excluded.tsv"),
        substituted=result("frames/{selection}/{database}.substituted.tsv"),
    log:
        result("logs/frames/{selection}/{database}.log"),
    benchmark:
        result("benchmarks/frames/{selection}/{database}.tsv")
    conda:
        "../../envs/databases.yaml"
    resources:
        accept_losses=accept_losses,
    params:
        settings=database_block,
        selection=lambda w: as_json(selections()[w.selection]),
        nearest_within=config["frames"]["nearest_within"],
    message:
        "Finding the frames of {wildcards.database}"
    shell:
        "python {input.code[0]:q} frames.select --database {wildcards.database:q} "
        "--settings {params.settings:q} --selection {params.selection:q} "
        "--annotations {input.annotations:q} --nearest-within {params.nearest_within:q} "
        "--accept-losses {resources.accept_losses:q} "
        "--frames {output.frames:q} --excluded {output.excluded:q} "
        "--substituted {output.substituted:q} > {log:q} 2>&1"
