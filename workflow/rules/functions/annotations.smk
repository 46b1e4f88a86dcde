# What the rules of annotations.smk ask before they run.


def table_of(wildcards):
    """The database's table. Where it is missing, the job itself says so, in its own words.

    Unless its annotations are there already: a database that is only away for the moment must not
    cost them, so Snakemake is told of the table, does not find it, and keeps what it has.
    """
    table = expected_table(wildcards.database)
    done = Path(result(f"annotations/{wildcards.database}.tsv")).exists()
    return [str(table)] if done or table.is_file() or "synthetic" in config else []


@cache
def expected_table(database):
    """Where the table of a database is, or would be."""
    block = config["databases"][database]
    table = (
        Path(block["table"])
        if "table" in block
        else find.table(Path(block["root"]), database)
    )
    if table is None or not (table.is_file() or "synthetic" in config):
        place = block.get("table") or block["root"]
        print(
            f"Note: no table of {database} in {place}; what there is of it is kept.",
            file=sys.stderr,
        )
    return table or Path(block["root"], "table")


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
    return as_json({key: block[key] for key in block if key not in shared})
