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


def protocol_and_input(wildcards):
    """The modules of an experiment's protocol and input, as `code` takes them."""
    return [
        ("protocol", experiment(wildcards)["protocol"]["kind"]),
        ("input", input_of(wildcards.experiment)["kind"]),
    ]
