# Synthetic databases in place of the licensed ones, where the config asks for them.
if "synthetic" in config:

    for name, block in config["databases"].items():

        rule:
            name:
                f"synthetic_{name}"
            input:
                code=code("synthetic.database", ("synthetic", name)),
            output:
                table=block["table"],
                frames=directory(block["frames"]),
                truth=result(f"databases/{name}.tsv"),
            log:
                result(f"logs/synthetic/{name}.log"),
            benchmark:
                result(f"benchmarks/synthetic/{name}.tsv")
            conda:
                "../../envs/synthetic.yaml"
            params:
                database=name,
                settings=as_json(config["synthetic"]),
            message:
                f"Drawing the synthetic {name}"
            shell:
                "python {input.code[0]:q} synthetic.database --database {params.database:q} "
                "--settings {params.settings:q} --table {output.table:q} "
                "--frames {output.frames:q} --truth {output.truth:q} > {log:q} 2>&1"
