# Input functions and params of faces.smk.


def detector_of(crop):
    """The config's block of the detector that a crop uses."""
    return config["crops"][crop]["detector"]


@cache
def detects(crop, database):
    """Whether a detector runs: ready pictures, for example, are taken whole."""
    settings = CropSettings.model_validate(config["crops"][crop])
    return settings.detects(config["databases"][database]["source"])


def is_fetched(crop):
    """Whether a detector's weights are fetched: it has some, and the user gives no copy of them."""
    detector = detector_of(crop)
    published = registry.load("detector", detector["kind"]).SOURCE is not None
    return published and detector["weights"] is None


def detector_files(wildcards):
    """The files behind the detector: the user's own, or the record of the fetched ones."""
    detector = detector_of(wildcards.crop)
    if not detects(wildcards.crop, wildcards.database):
        return []
    if is_fetched(wildcards.crop):
        return [result(f"weights/detectors/{detector['kind']}.json")]
    return [detector[key] for key in ("weights", "network") if detector.get(key)]


def weights_argument(wildcards):
    """The argument that says where the detector's weights lie; none where nothing is detected."""
    detector = detector_of(wildcards.crop)
    if not detects(wildcards.crop, wildcards.database):
        return []
    if is_fetched(wildcards.crop):
        return ["--weights", result(f"weights/detectors/{detector['kind']}")]
    return ["--weights", detector["weights"]] if detector.get("weights") else []


def database_frames(wildcards):
    """A database's table of the frames that a crop selects."""
    return result(f"frames/{selection_label(wildcards.crop)}/{wildcards.database}.tsv")


def fetched_detectors():
    """The records of all detectors in use, so that they are fetched before anything else."""
    names = {
        detector_of(crop)["kind"]
        for crop in layout.crops(config)
        if any(detects(crop, database) for database in DATABASES) and is_fetched(crop)
    }
    return [result(f"weights/detectors/{name}.json") for name in sorted(names)]
