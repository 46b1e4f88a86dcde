# Tables and figures are modules: what each reads is declared in it, and its rule follows from that.


def output_path(kind, name):
    """The path of a table or figure, without its ending."""
    return result(layout.output_path(kind, name))


def job_name(kind, name):
    """The path of a table's or figure's log and benchmark, below their folders."""
    folder = "comparison" if layout.compares(kind, name) else f"{kind}s/{{experiment}}"
    return f"{folder}/{kind}_{layout.stem(kind, name)}"


#: Files that only some inputs have: the constant that names them, and which inputs these are.
READ_OF_SOME = {
    "READS_MOTION": lambda name: layout.measures_motion(config, name),
    "READS_APEXES": lambda name: apex_of(name) is not None,
}


def declared(kind, name):
    """The files that a table or figure declares, by name, with what says which inputs have them."""
    constants = registry.constants(kind, name)
    every = dict(constants["READS"])
    if "synthetic" in config:
        every |= constants.get("READS_SYNTHETIC", {})
    files = {key: (path, lambda name: True) for key, path in every.items()}
    for constant, has in READ_OF_SOME.items():
        files |= {key: (path, has) for key, path in constants.get(constant, {}).items()}
    return files


def reads(kind, name):
    """Input functions, by name, for the files that a table or figure declares."""
    return {key: files_at(*of) for key, of in declared(kind, name).items()}


def code_of(job, kind, name):
    """An input function: the code of a table or figure, and of the variants that it names in USES.

    USES gives, by kind of variant, the dotted path of a block of the config whose values they are.
    """
    uses = registry.constants(kind, name).get("USES", {})
    return lambda w: code(
        job,
        (kind, name),
        *(
            (variant_kind, variant_name)
            for variant_kind, path in uses.items()
            for variant_name in value_of(path, w).values()
        ),
    )


def files_at(path, has):
    """An input function for a declared path: {database} and {experiment} stand for all.

    `has` says of an input's name whether the files are there for experiments on it.
    """

    def files(wildcards):
        own = getattr(wildcards, "experiment", None)
        return list(
            dict.fromkeys(
                found
                for experiment in ([own] if own else EXPERIMENTS)
                if has(EXPERIMENTS[experiment]["input"])
                for found in expand(
                    result(path),
                    experiment=experiment,
                    database=DATABASES,
                    input=EXPERIMENTS[experiment]["input"],
                    crop=input_of(experiment)["crop"],
                    selection=selection_label(input_of(experiment)["crop"]),
                )
            )
        )

    return files


def named_files(kind, name):
    """A params function: every file with the name that its module has for it."""
    keys = list(declared(kind, name))
    return lambda w, input: [f"{key}={path}" for key in keys for path in input[key]]


def checkpoints_above(wildcards):
    """The checkpoints above a table or figure: see evaluation.smk."""
    if hasattr(wildcards, "experiment"):
        return checkpoint_outputs(wildcards)
    gates = of_experiments("split.json")
    return ancient([*gates, *all_weights()])


def settings_of(kind, name):
    """A params function: the values of the config that a table or figure declares, as JSON."""
    paths = registry.constants(kind, name).get("SETTINGS", ())
    return lambda w: as_json({path: value_of(path, w) for path in paths})


def value_of(path, wildcards):
    """The value of the config at a dotted path; `experiment`, `input` and `crop` are the job's.

    A `*` in it stands for every name of a block: the value is then a value for each name.
    """
    return value_below(config_view(wildcards), path.split("."))


def value_below(block, keys):
    """The value of a block below several keys, of which each may be `*`."""
    if not keys:
        return block
    key, *rest = keys
    if key == "*":
        return {name: value_below(inner, rest) for name, inner in block.items()}
    return value_below(block[key], rest)


def config_view(wildcards):
    """The config as tables and figures name it."""
    view = {
        "databases": DATABASES,
        "experiments": EXPERIMENTS,
        "show_faces": config["show_faces"],
        "synthetic": DATABASES if "synthetic" in config else [],
        "frames_roots": {name: frames_root(name) for name in DATABASES},
    }
    if hasattr(wildcards, "experiment"):
        name = wildcards.experiment
        view |= {
            "experiment": EXPERIMENTS[name],
            "label_map": label_map_of(wildcards),
            "input": input_of(name),
            "crop": crop_of(name),
        }
    return view


def caption(kind, name):
    """The caption that a table's or figure's module has for the report."""
    return registry.constants(kind, name)["CAPTION"]


def table_outputs(name):
    """The files of a table; its page is in the report."""
    formats = registry.constants("table", name).get("FORMATS", ())
    return {
        "table": f"{output_path('table', name)}.tsv",
        "page": report(
            f"{output_path('table', name)}.html",
            caption="../report/caption.rst",
            category="comparison" if layout.compares("table", name) else "{experiment}",
            subcategory="tables",
            labels={"table": layout.stem("table", name).replace("_", " ")},
        ),
        **{ending: f"{output_path('table', name)}.{ending}" for ending in formats},
    }
