# Input functions and params of annotations.smk.


def reader_of(wildcards):
    """The reader of a database, as `code` takes it."""
    return ("reader", config["databases"][wildcards.database]["reader"])


def database_block(wildcards):
    """The config's block of a database."""
    return as_json(config["databases"][wildcards.database])


def table_of(wildcards):
    """The database's table. Where it is missing, the job itself says so.

    If annotations exist already, the missing table is declared anyway: an unmounted database must
    not invalidate them.
    """
    table = expected_table(wildcards.database)
    done = Path(result(f"annotations/{wildcards.database}.tsv")).exists()
    return [str(table)] if done or table.is_file() or "synthetic" in config else []


@cache
def frames_root(database):
    """The folder that the frames of a database lie in, at any depth."""
    block = config["databases"][database]
    return str(database_settings.load(database, block).frames_root)


@cache
def expected_table(database):
    """Where the table of a database is, or would be."""
    block = config["databases"][database]
    table = (
        Path(block["table"])
        if block.get("table")
        else table_file.newest(Path(block["root"]), block["reader"])
    )
    if table is None or not (table.is_file() or "synthetic" in config):
        place = block.get("table") or block["root"]
        done = Path(result(f"annotations/{database}.tsv")).exists()
        remedy = (
            "existing results of it are kept"
            if done
            else "correct the path in the config"
        )
        print(f"Note: no table of {database} in {place}; {remedy}.", file=sys.stderr)
    return table or Path(block["root"], "table")
