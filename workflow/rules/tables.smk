# Tables: a rule for each module in workflow/scripts/fleeting/tables.
include: "functions/tables.smk"


rule evaluation:
    input:
        of_experiments("scores.tsv"),
        [result(path) for path in layout.output_paths(config, "table", ".tsv")],
        [
            in_experiment("evaluation/retained_models.tsv").format(experiment=name)
            for name in EXPERIMENTS
            if folds.kept_models(config, EXPERIMENTS[name]) == "chosen"
        ],


for name in registry.names("table"):

    rule:
        name:
            f"table_{name}"
        input:
            **reads("table", name),
            code=code_of("evaluation.write_table", "table", name),
            checkpoints=checkpoints_above,
        output:
            **table_outputs(name),
        log:
            result(f"logs/{job_name('table', name)}.log"),
        benchmark:
            result(f"benchmarks/{job_name('table', name)}.tsv")
        conda:
            "../../envs/evaluation.yaml"
        params:
            name=name,
            files=named_files("table", name),
            settings=settings_of("table", name),
            caption=caption("table", name),
        message:
            "Writing {output.table}"
        shell:
            "python {input.code[0]:q} evaluation.write_table --table {params.name:q} "
            "--files {params.files:q} --settings {params.settings:q} "
            "--output {output.table:q} > {log:q} 2>&1"
