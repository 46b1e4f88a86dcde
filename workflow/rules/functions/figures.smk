# What the rules of figures.smk ask before they run.


def figures_of(name):
    """The figures of an experiment."""
    rates = [f"validation_accuracy_lr{lr}" for lr in EXPERIMENTS[name]["grid"]["lrs"]]
    return [
        "databases",
        "classes",
        "cropping",
        *rates,
        "learning_rates",
        "losses",
        "confusion",
        "confused_pair",
    ]


def figure(name, rule_name=None):
    """A figure of an experiment in its two forms; the first is in the report."""
    return {
        "svg": report(
            in_experiment(f"figures/{name}.svg"),
            caption=f"../report/figure_{rule_name or name}.rst",
            category="{experiment}",
            subcategory="figures",
            labels={"figure": name.replace("_", " ")},
        ),
        "png": in_experiment(f"figures/{name}.png"),
    }


def faces_arguments(wildcards):
    """Whose faces a figure may show, and which databases are synthetic."""
    return [
        "--crop",
        experiment(wildcards)["crop"],
        "--show-faces",
        json.dumps(config["show_faces"]),
        "--synthetic=" + ",".join(DATABASES if "synthetic" in config else []),
    ]
