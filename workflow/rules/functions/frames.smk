# Input functions and params of frames.smk.


@cache
def selections():
    """The selections of frames that the crops in use name, by their folder's name."""
    return {
        selection_label(crop): config["crops"][crop]["frames"]
        for crop in layout.crops(config)
    }


@cache
def selection_label(crop):
    """The folder name of a crop's selection of frames."""
    return layout.selection_label(config, crop)


def selection_of(wildcards):
    """A selection's module, as `code` takes it."""
    return ("selection", selections()[wildcards.selection]["kind"])
