# What the rules of splits.smk ask before they run.


def crop_tables(wildcards):
    """What a split is drawn from: annotations and crops of every database."""
    folders = ["annotations", f"faces/{experiment(wildcards)['crop']}"]
    return expand(result("{folder}/{database}.tsv"), folder=folders, database=DATABASES)
