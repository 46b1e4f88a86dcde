# What the rules of frames.smk ask before they run.


def frames_root(wildcards):
    """The folder below which a database's frames are searched."""
    return str(find.frames_root(config["databases"][wildcards.database]))
