# What the rules of evaluation.smk ask before they run.


def tables_of(name):
    """The tables of an experiment."""
    unseen = (
        ["unseen_subjects"] if EXPERIMENTS[name]["split"]["unseen_subjects"] else []
    )
    return [
        "databases",
        "classes",
        "table1_structure",
        "table2_test_metrics",
        "table3_confused_pairs",
        "paper_comparison",
        "all_runs",
        *unseen,
        "excluded",
        "unused",
    ]


def table(name, *more):
    """A table of an experiment and the page that shows it in the report."""
    caption = f"../report/table_{name}.rst"
    page = report(
        in_experiment(f"tables/{name}.html"),
        caption=caption,
        category="{experiment}",
        subcategory="tables",
        labels={"table": name.replace("_", " ")},
    )
    return {
        "table": in_experiment(f"tables/{name}.tsv"),
        "page": page,
        **{ending: in_experiment(f"tables/{name}.{ending}") for ending in more},
    }


def gathered(*names):
    """What the runs of an experiment came to, all of it or the named tables."""
    return [in_experiment(f"evaluation/{name}.tsv") for name in names or GATHERED]


def leftovers(wildcards):
    """The tables of every stage that say what it took and what it could not use."""
    crop = experiment(wildcards)["crop"]
    return [
        result(f"{folder}/{database}{ending}.tsv")
        for database in DATABASES
        for folder, endings in {
            "annotations": ["", ".excluded", ".substituted", ".rows"],
            "frames": ["", ".excluded", ".substituted"],
            f"faces/{crop}": ["", ".excluded"],
        }.items()
        for ending in endings
    ]


def crop_and_databases(wildcards):
    """What a script needs to find the tables of every stage."""
    return ["--crop", experiment(wildcards)["crop"], "--databases", ",".join(DATABASES)]


def test_files(wildcards):
    """The predictions of every run of an experiment, and what they belong to."""
    files = ["history.tsv", "run.json", "predictions.tsv", "unseen_predictions.tsv"]
    return runs(wildcards.experiment, files)
