# Synthetic databases in place of the licensed ones, where the config asks for them.
if "synthetic" in config:

    for name in DATABASES:

        rule:
            name:
                f"synthetic_{name}"
            input:
                script=code("synthetic_database.py", ("synthetic", name)),
            output:
                table=config["databases"][name]["table"],
                frames=directory(config["databases"][name]["frames"]),
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
                "python {input.script[0]:q} --database {params.database:q} "
                "--settings {params.settings:q} --table {output.table:q} "
                "--frames {output.frames:q} --truth {output.truth:q} > {log:q} 2>&1"
