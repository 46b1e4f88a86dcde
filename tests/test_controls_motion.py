"""What `make motion` measures: differences of experiments on the same clips, under conditions."""

from pathlib import Path

import pandas as pd
import pytest

from fleeting import tsv
from fleeting.config.loading import load
from fleeting.controls import alignment, apexes, motion, projects
from fleeting.errors import UserError
from fleeting.evaluation import schemas

CLASSES = ("disgust", "happiness", "surprise")
SUBJECTS = [("casme", f"sub{number:02d}") for number in range(12)]


def counts(right: int, **columns: object) -> pd.DataFrame:
    """Of each subject's six clips, so many are right; the others get the next class."""
    rows = []
    for database, subject in SUBJECTS:
        for clip in range(6):
            label = CLASSES[clip % 3]
            predicted = label if clip < right else CLASSES[(clip + 1) % 3]
            rows.append({"database": database, "subject": subject, "label": label})
            rows[-1] |= {"predicted": predicted, "repeat": 1, **columns}
    frame = pd.DataFrame(rows)
    return frame.groupby(list(frame.columns)).size().reset_index(name="count")


def finished(folder: Path, config: Path, **right: int) -> projects.Project:
    """A project whose experiments have predicted so many of six clips; the kernel one more."""
    block = projects.moved(projects.read(config), str(folder))
    block["experiments"] = {name: block["experiments"][name] for name in right}
    for name, count in right.items():
        below = folder / "experiments" / name / "evaluation"
        network = counts(count, model="two_layer", lr="3e-03")
        table = network[list(schemas.SUBJECT_COUNTS)]
        tsv.write(table, below / "subject_counts.tsv", schemas.SUBJECT_COUNTS)
        kernel = counts(count + 1, baseline=motion.KERNEL)
        if name in ("pairs", "apex"):
            kernel = kernel.iloc[:0]
        table = kernel[list(schemas.BASELINE_COUNTS)]
        tsv.write(table, below / "baseline_counts.tsv", schemas.BASELINE_COUNTS)
    return projects.Project(block)


def test_each_learner_is_compared_with_itself(tmp_path: Path) -> None:
    project = finished(tmp_path, motion.BEYOND, base=3, dis=5, unaligned=2)
    found = motion.worth(project, "base", "subtler").set_index(["experiment", "learner"])
    assert found.loc[("base", "two_layer"), ["uar", "difference"]].tolist() == [0.5, 0]
    better = found.loc["dis", motion.KERNEL]
    assert better["uar"] == 1
    assert better["difference"] == pytest.approx(1 - 4 / 6)
    assert better["interval_low"] == pytest.approx(1 - 4 / 6), "all subjects are alike"
    assert found.loc[("unaligned", "two_layer"), "difference"] == pytest.approx(-1 / 6)
    assert set(found["condition"]) == {"subtler"}


def test_aligned_flow_must_be_above_what_it_is_compared_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(alignment, "errors", lambda results, crop: pd.DataFrame())
    monkeypatch.setattr(alignment, "summary", lambda found: pd.DataFrame({"left": [0.02]}))
    monkeypatch.setattr(apexes, "errors", lambda results, name: pd.DataFrame({"mean": [1.5]}))
    monkeypatch.setattr(projects.Project, "run", lambda *arguments: None)
    read = projects.read

    def measured(name: str, **right: int) -> projects.Project:
        monkeypatch.setattr(projects, "read", read)
        project = finished(tmp_path / name, motion.SYNTHETIC, **right)
        monkeypatch.setattr(projects, "read", lambda path: project.config)
        motion.run(cores=1, beyond=False)
        return project

    project = measured("above", flow=4, flow_unaligned=3, pairs=2, apex=2)
    written = tsv.read(project.results / "worth.tsv", motion.WORTH)
    assert set(written["experiment"]) == {"flow", "flow_unaligned", "pairs", "apex"}
    for name, value in (("alignment", "0.02"), ("apexes", "1.5")):
        assert value in (project.results / f"{name}.tsv").read_text()
    assert "flow_searched" in (project.results / "apexes.tsv").read_text()
    assert "two_layer" in capsys.readouterr().out
    with pytest.raises(UserError, match="aligned flow is not above pairs, apex"):
        measured("below", flow=4, flow_unaligned=3, pairs=4, apex=5)


def test_each_condition_is_a_config_of_its_own() -> None:
    config = projects.read(motion.BEYOND)
    made = motion.conditions(config)
    assert list(made) == list(motion.CONDITIONS)
    assert len({block["results"] for block in made.values()}) == len(made)
    for name, block in made.items():
        assert load(block)["experiments"].keys() == config["experiments"].keys()
        for database in block["databases"].values():
            assert database["table"].startswith(f"{block['results']}/databases/")
        changed = motion.CONDITIONS[name].get("disturbances", {})
        assert block["synthetic"]["disturbances"] == {
            **config["synthetic"]["disturbances"],
            **changed,
        }
    assert made["subtler"]["synthetic"]["intensity"] == {"onset": 0, "apex": 0.12, "offset": 0}
    assert config["synthetic"]["intensity"]["apex"] == 0.25, "the config itself stays"
