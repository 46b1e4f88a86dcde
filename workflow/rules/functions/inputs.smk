# Input functions of inputs.smk, and of what else reads the crops of examples.


def input_faces(wildcards):
    """A database's table of the crops that an input is made of."""
    crop = config["inputs"][wildcards.input_name]["crop"]
    return result(f"faces/{crop}/{wildcards.database}.tsv")


def apex_of(name):
    """The config's block of how an input's apex is searched for; None where it is not."""
    return config["inputs"][name].get("apex")


def found_apexes(name, databases):
    """The tables of the apexes that were searched for, for inputs that ask for it."""
    if apex_of(name) is None:
        return []
    return [result(f"inputs/{name}/{database}.apexes.tsv") for database in databases]
