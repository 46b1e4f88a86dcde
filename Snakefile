# Fleeting: databases -> frames -> faces -> inputs -> protocols -> training -> evaluation -> tables
# and figures.
# What each stage does is in workflow/rules/, one file a stage; what it computes, in
# workflow/scripts/fleeting/, one folder a stage.
from snakemake.utils import min_version

min_version("9.0")

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
