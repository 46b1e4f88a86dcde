# Input functions and params of splits.smk.

#: With more folds than this, an experiment has no folders of links, and keeps models only if asked.
FEW_FOLDS = 10


def of_databases(path):
    """An input function: a path with {database}, {input} or {crop} for every database."""
    return lambda w: expand(
        result(path),
        database=DATABASES,
        input=EXPERIMENTS[w.experiment]["input"],
        crop=input_of(w.experiment)["crop"],
        allow_missing=True,
    )


@cache
def known_folds(name):
    """The number of an experiment's folds, or None where it follows from the data."""
    protocol, settings = variant("protocol", EXPERIMENTS[name]["protocol"])
    return protocol.folds(settings)


def has_few_folds(name):
    """Whether an experiment is known to have few folds."""
    folds = known_folds(name)
    return folds is not None and folds <= FEW_FOLDS


def protocol_and_input(wildcards):
    """The modules of an experiment's protocol and input, as `code` takes them."""
    return [
        ("protocol", experiment(wildcards)["protocol"]["kind"]),
        ("input", input_of(wildcards.experiment)["kind"]),
    ]
