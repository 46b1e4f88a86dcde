# Fleeting: databases -> frames -> faces -> inputs -> protocols -> training -> evaluation -> tables
# and figures.
# The rules of each stage are in workflow/rules/, one file per stage; the code that they run is in
# workflow/scripts/fleeting/ (CONTRIBUTING.md says which folder is which).
from snakemake.utils import min_version

min_version("9.0")

# A file given by --configfile replaces config.yaml; Snakemake alone would merge the two.
if not workflow.configfiles:

    configfile: workflow.source_path("config.yaml")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/synthetic.smk"
include: "workflow/rules/annotations.smk"
include: "workflow/rules/frames.smk"
include: "workflow/rules/faces.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/splits.smk"
include: "workflow/rules/action_units.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/evaluation.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        rules.faces.input,
        rules.splits.input,
        rules.training.input,
        rules.evaluation.input,
        rules.figures.input,


print_obstacle()


onstart:
    refuse_unquotable()


onsuccess:
    print_summary()


onerror:
    print_obstacle()
