"""What `make motion` measures: differences of experiments on the same clips, under conditions."""

from pathlib import Path

import pandas as pd
import pytest

from fleeting import tsv
from fleeting.config.loading import load
from fleeting.controls import alignment, apexes, motion, projects
from fleeting.errors import UserError

CLASSES = ("disgust", "happiness", "surprise")
SUBJECTS = [f"casme/sub{number:02d}" for number in range(12)]


def predicted(right: int, clips: int = 6) -> pd.DataFrame:
    """Of each subject's clips, so many are right; the others get the next class."""
    rows = []
    for subject in SUBJECTS:
        for clip in range(clips):
            label = CLASSES[clip % 3]
            said = label if clip < right else CLASSES[(clip + 1) % 3]
            rows.append((f"{subject}/clip{clip}/1", subject, label, said, 1))
    return pd.DataFrame(rows, columns=["sample", "person", "label", "predicted", "repeat"])


def project_of(
    folder: Path, config: Path, monkeypatch: pytest.MonkeyPatch, **right: int
) -> projects.Project:
    """A project with so many hits of six by each network; each kernel ridge has one more."""
    block = projects.moved(projects.read(config), str(folder))
    block["experiments"] = {name: block["experiments"][name] for name in right}

    def predictions(
        project: projects.Project, experiment: str, networks: bool
    ) -> dict[str, pd.DataFrame]:
        count = right[experiment]
        kernel = {motion.KERNEL: predicted(count + 1)}
        on_crops = experiment in ("pairs", "apex")
        return {"two_layer": predicted(count)} | ({} if on_crops else kernel)

    monkeypatch.setattr(motion, "predictions", predictions)
    return projects.Project(block)


def test_each_learner_is_compared_with_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(tmp_path, motion.BEYOND, monkeypatch, base=3, dis=5, unaligned=2)
    found = motion.worth(project, "base", "subtler").set_index(["experiment", "learner"])
    assert found.loc[("base", "two_layer"), ["uar", "difference"]].tolist() == [0.5, 0]
    better = found.loc["dis", motion.KERNEL]
    assert better["uar"] == 1
    assert better["difference"] == pytest.approx(1 - 4 / 6)
    assert better["interval_low"] == pytest.approx(1 - 4 / 6), "all subjects are alike"
    assert found.loc[("unaligned", "two_layer"), "difference"] == pytest.approx(-1 / 6)
    assert set(found["condition"]) == {"subtler"}


def test_only_clips_that_both_test_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seventh clip, which one of them gets right, adds nothing."""
    project = project_of(tmp_path, motion.BEYOND, monkeypatch, base=3, dis=3)
    tables = {"base": predicted(3), "dis": predicted(3, clips=7)}
    tables["dis"].loc[tables["dis"]["sample"].str.contains("clip6"), "predicted"] = "disgust"
    monkeypatch.setattr(
        motion, "predictions", lambda _, name, networks: {"two_layer": tables[name]}
    )
    found = motion.worth(project, "base").set_index("experiment")
    assert found.loc["dis", ["uar", "difference"]].tolist() == [0.5, 0]


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
        project = project_of(tmp_path / name, motion.SYNTHETIC, monkeypatch, **right)
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
    assert made["subtler"]["synthetic"]["intensity"] == {"onset": 0, "apex": 0.03, "offset": 0}
    assert config["synthetic"]["intensity"]["apex"] == 0.06, "the config itself stays"
