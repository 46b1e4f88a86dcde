# Frames: onset, apex and offset of every sample, found on disk.
include: "functions/frames.smk"


rule frames:
    input:
        expand(result("frames/{database}.tsv"), database=DATABASES),


# A checkpoint, so that crops are looked at again by their checksums: a subject whose rows did not
# change is not cropped anew.
checkpoint select_frames:
    input:
        script=lambda w: code("select_frames.py", ("database", w.database)),
        annotations=result("annotations/{database}.tsv"),
    output:
        frames=result("frames/{database}.tsv"),
        excluded=result("frames/{database}.excluded.tsv"),
        substituted=result("frames/{database}.substituted.tsv"),
        subjects=directory(result("frames/{database}")),
    log:
        result("logs/frames/{database}.log"),
    benchmark:
        result("benchmarks/frames/{database}.tsv")
    conda:
        "../../envs/databases.yaml"
    params:
        frames=frames_root,
        source=lambda w: config["databases"][w.database]["source"],
        nearest_within=config["frames"]["nearest_within"],
    message:
        "Finding the frames of {wildcards.database}"
    shell:
        "python {input.script[0]:q} --database {wildcards.database:q} "
        "--annotations {input.annotations:q} --frames {params.frames:q} "
        "--source {params.source:q} --nearest-within {params.nearest_within:q} "
        "--frames-table {output.frames:q} --excluded {output.excluded:q} "
        "--substituted {output.substituted:q} --subjects {output.subjects:q} > {log:q} 2>&1"
