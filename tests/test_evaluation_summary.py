"""What is printed after a run."""

from pathlib import Path

from fleeting.evaluation.summary import summary


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
