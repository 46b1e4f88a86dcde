# Figures: a rule for each module in workflow/scripts/fleeting/figures; each as .svg and .png.
include: "functions/figures.smk"


rule figures:
    input:
        [result(path) for path in layout.output_paths(config, "figure", ".svg", ".png")],


for name in registry.names("figure"):

    rule:
        name:
            f"figure_{name}"
        input:
            **reads("figure", name),
            code=code_of("drawing.draw", "figure", name),
            checkpoints=checkpoints_above,
        output:
            **figure_outputs(name),
        log:
            result(f"logs/{job_name('figure', name)}.log"),
        benchmark:
            result(f"benchmarks/{job_name('figure', name)}.tsv")
        conda:
            "../../envs/figures.yaml"
        params:
            name=name,
            files=named_files("figure", name),
            settings=settings_of("figure", name),
            lr=rate_argument,
            caption=caption("figure", name),
        message:
            "Drawing {output.svg}"
        shell:
            "python {input.code[0]:q} drawing.draw --figure {params.name:q} "
            "--files {params.files:q} --settings {params.settings:q} {params.lr:q} "
            "--svg {output.svg:q} --png {output.png:q} > {log:q} 2>&1"
