# Action units as an auxiliary target of training, for experiments whose recipe has `auxiliary`.


# A gate of its own, as split.json is: a checkpoint, so that runs are compared with it by checksum (it
# stays far below 1 MB). An edit upstream that leaves the listed units of all samples as they were
# retrains nothing. It reads nothing of another checkpoint, so that it runs whenever anything upstream
# did, and knows neither split nor labels.
checkpoint read_action_units:
    input:
        code=code("training.read_action_units"),
        annotations=lambda w: expand(
            result("annotations/{database}.tsv"), database=DATABASES
        ),
    output:
        in_experiment("action_units.tsv"),
    log:
        result("logs/training/{experiment}/read_action_units.log"),
    benchmark:
        result("benchmarks/training/{experiment}/read_action_units.tsv")
    conda:
        "../../envs/databases.yaml"
    params:
        units=lambda w: experiment(w)["recipe"]["auxiliary"]["action_units"],
    message:
        "Reading the action units that {wildcards.experiment} learns"
    shell:
        "python {input.code[0]:q} training.read_action_units --annotations {input.annotations:q} "
        "--units {params.units} --output {output:q} > {log:q} 2>&1"
