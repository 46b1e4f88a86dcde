"""What is printed after a run."""

from pathlib import Path

from fleeting.evaluation.final_summary import seconds_by_stage, summary


def test_the_experiments_of_the_config_are_shown_and_no_others(tmp_path: Path) -> None:
    for name, failed in (("mine", "repeat 1: epoch 2: the train loss is nan"), ("former", "")):
        tables = tmp_path / "experiments" / name / "tables"
        tables.mkdir(parents=True)
        columns = {"model": "resnet18", "lr": "1e-02", "repeats": "0", "failed": failed}
        lines = ["\t".join(columns), "\t".join(columns.values())]
        (tables / "all_runs.tsv").write_text("\n".join(lines) + "\n")
    shown = summary(tmp_path, ["mine"])
    assert "mine: all_runs" in shown
    assert "repeat 1: epoch 2: the train loss is nan" in shown
    assert "former" not in shown
    assert "failed" not in summary(tmp_path, ["former"])


def test_seconds_are_summed_by_stage_whatever_a_killed_job_left(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks" / "training"
    folder.mkdir(parents=True)
    for number, text in enumerate(["s\th:m:s\n1.5\t0:00:01\n", "s\th:m:s\n2\t-\n", "", "s\n"]):
        (folder / f"{number}.tsv").write_text(text)
    (row,) = seconds_by_stage(tmp_path)
    assert row == {"stage": "training", "jobs": 2, "seconds": 3.5}
    assert summary(tmp_path, []).endswith("   stage jobs seconds\ntraining    2     3.5")
