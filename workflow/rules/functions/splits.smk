# Input functions and params of splits.smk.


def of_databases(path):
    """An input function: a path with {database}, {input} or {crop} for every database."""
    return lambda w: expand(
        result(path),
        database=DATABASES,
        input=EXPERIMENTS[w.experiment]["input"],
        crop=input_of(w.experiment)["crop"],
        allow_missing=True,
    )


def label_map_of(wildcards):
    """An experiment's label map, by database; a named one is replaced by what it holds."""
    given = experiment(wildcards)["label_map"]
    return labels.resolve(given, config["databases"]).model_dump()


def protocol_of(wildcards):
    """An experiment's protocol; one that is matched has the other's in place of its name."""
    return folds.protocol(config, experiment(wildcards))


def redrawn_repeats(wildcards):
    """How many repeats have a split of their own; a protocol without `redraw` reads none."""
    protocol = protocol_of(wildcards)
    redraws = protocol.get("redraw") or (
        protocol["kind"] == "matched" and protocol["to"].get("redraw")
    )
    return experiment(wildcards)["grid"]["repeats"] if redraws else 1


def permute_arguments(wildcards):
    """The argument that says how labels are permuted; none where they are not."""
    block = experiment(wildcards)["permute_labels"]
    return ["--permute-labels", as_json(block)] if block else []


def protocol_and_input(wildcards):
    """The modules of an experiment's protocol and input, as `code` takes them."""
    protocol = protocol_of(wildcards)
    matched = [protocol["to"]] if protocol["kind"] == "matched" else []
    return [
        *(("protocol", block["kind"]) for block in [protocol, *matched]),
        *named_variants("input", input_of(wildcards.experiment)),
    ]
