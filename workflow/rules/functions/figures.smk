# Outputs and targets of figures.smk; what tables and figures share stands in tables.smk.


def figure_outputs(name):
    """A figure in its two forms; the first is in the report."""
    return {
        "svg": report(
            f"{output_path('figure', name)}.svg",
            caption="../report/caption.rst",
            category=(
                "comparison" if layout.compares("figure", name) else "{experiment}"
            ),
            subcategory="figures",
            labels={"figure": layout.stem("figure", name).replace("_", " ")},
        ),
        "png": f"{output_path('figure', name)}.png",
    }


def rate_argument(wildcards):
    """The learning rate of a figure that is drawn for each of them."""
    return ["--lr", wildcards.lr] if hasattr(wildcards, "lr") else []
