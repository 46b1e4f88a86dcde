# Databases: from each database's own table to one table of samples.
include: "functions/annotations.smk"


rule annotations:
    input:
        expand(result("annotations/{database}.tsv"), database=DATABASES),


rule extract_annotations:
    input:
        code=lambda w: code("databases.extract", reader_of(w)),
        table=table_of,
    output:
        samples=result("annotations/{database}.tsv"),
        excluded=result("annotations/{database}.excluded.tsv"),
        substituted=result("annotations/{database}.substituted.tsv"),
        rows=result("annotations/{database}.rows.tsv"),
    log:
        result("logs/annotations/{database}.log"),
    benchmark:
        result("benchmarks/annotations/{database}.tsv")
    conda:
        "../../envs/databases.yaml"
    resources:
        accept_losses=accept_losses,
    params:
        settings=database_block,
        apex=config["annotations"]["apex"],
    message:
        "Reading the annotations of {wildcards.database}"
    shell:
        "python {input.code[0]:q} databases.extract --database {wildcards.database:q} "
        "--settings {params.settings:q} --apex {params.apex:q} "
        "--accept-losses {resources.accept_losses:q} --samples {output.samples:q} "
        "--excluded {output.excluded:q} --substituted {output.substituted:q} "
        "--rows {output.rows:q} > {log:q} 2>&1"
