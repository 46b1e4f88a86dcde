# Databases: from each database's own table to one table of samples.


def table_of(wildcards):
    """The database's table, if it is there: without it, the job itself says what is missing."""
    block = config["databases"][wildcards.database]
    if "table" in block:
        made = "synthetic" in config
        return [block["table"]] if made or Path(block["table"]).is_file() else []
    found = find.table(Path(block["root"]), wildcards.database)
    return [str(found)] if found else []


def place_of(wildcards):
    """Where the config says that the table is."""
    block = config["databases"][wildcards.database]
    return (
        ["--table", block["table"]] if "table" in block else ["--root", block["root"]]
    )


def reader_options(wildcards):
    """The keys of a database's block that only its reader knows."""
    block = config["databases"][wildcards.database]
    shared = {"root", "table", "frames", "source"}
    return json.dumps({key: block[key] for key in sorted(block) if key not in shared})


rule annotations:
    input:
        expand(result("annotations/{database}.tsv"), database=DATABASES),


rule extract_annotations:
    input:
        script=lambda w: code("extract_annotations.py", ("database", w.database)),
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
    params:
        place=place_of,
        options=reader_options,
        apex=config["annotations"]["apex"],
    message:
        "Reading the annotations of {wildcards.database}"
    shell:
        "python {input.script[0]:q} --database {wildcards.database:q} {params.place:q} "
        "--options {params.options:q} --apex {params.apex:q} --samples {output.samples:q} "
        "--excluded {output.excluded:q} --substituted {output.substituted:q} "
        "--rows {output.rows:q} > {log:q} 2>&1"
