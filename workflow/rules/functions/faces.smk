# What the rules of faces.smk ask before they run.


def detector_of(wildcards):
    """The name of the detector that a crop uses."""
    return config["crops"][wildcards.crop]["detector"]["name"]


def detects(crop, database):
    """Whether a detector is needed: a provider's crops may be kept as they are."""
    kept = config["crops"][crop]["provider_crops"] == "keep"
    return not (kept and config["databases"][database]["source"] == "cropped")


def detector_weights(wildcards):
    """What stands for the detector's weights: the user's own files, or the record of the fetched."""
    detector = config["crops"][wildcards.crop]["detector"]
    if not detects(wildcards.crop, wildcards.database):
        return []
    if detector["weights"] is None:
        return result(f"weights/detectors/{detector['name']}.json")
    return [detector[key] for key in ("weights", "network") if key in detector]


def detector_arguments(wildcards):
    """Where the detector's weights lie."""
    if not detects(wildcards.crop, wildcards.database):
        return []
    own = config["crops"][wildcards.crop]["detector"]["weights"]
    return ["--weights", own or result(f"weights/detectors/{detector_of(wildcards)}")]


def subject_frames(wildcards):
    """The rows of one subject; asking the checkpoint makes sure that they are current."""
    folder = checkpoints.select_frames.get(database=wildcards.database).output.subjects
    return f"{folder}/{wildcards.subject}.tsv"


def subject_faces(wildcards):
    """The tables of all crop jobs of a database."""
    folder = checkpoints.select_frames.get(database=wildcards.database).output.subjects
    return expand(
        result("faces/{crop}/{database}/{subject}{ending}"),
        crop=wildcards.crop,
        database=wildcards.database,
        subject=sorted(path.stem for path in Path(folder).glob("[!.]*.tsv")),
        ending=[".tsv", ".excluded.tsv"],
    )


def fetched_detectors():
    """The records of all detectors in use, so that they are fetched before anything else."""
    crops = {block["crop"] for block in EXPERIMENTS.values()}
    used = {crop for crop in crops if any(detects(crop, name) for name in DATABASES)}
    detectors = [config["crops"][crop]["detector"] for crop in sorted(used)]
    names = {detector["name"] for detector in detectors if detector["weights"] is None}
    return [result(f"weights/detectors/{name}.json") for name in sorted(names)]
