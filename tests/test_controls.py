"""The controls: their projects, what passes, and the curve of dose and response."""

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from fleeting import tsv
from fleeting.config.loading import load
from fleeting.controls import checks, dose, draw_dose, projects, psychometric, run
from fleeting.drawing import style
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.synthetic.database import TRUTH

CLASSES = ("disgust", "happiness", "surprise")
SUBJECTS = [("casme2", f"sub{number:02d}") for number in range(24)]
DOSES = np.array([0.2, 0.4, 0.8, 1.6, 3.2, 6.4])


def counts(shares: np.ndarray, seed: int = 1, clips: int = 6) -> pd.DataFrame:
    """Predictions that are right in the given share of each subject's clips, else at random."""
    random = np.random.default_rng(seed)
    rows = []
    for (database, subject), share in zip(SUBJECTS, shares, strict=True):
        for clip in range(clips):
            label = CLASSES[clip % 3]
            guess = CLASSES[random.integers(3)]
            predicted = label if random.random() < share else guess
            rows.append(("small", "1e-02", 1, database, subject, label, predicted, 1))
    frame = pd.DataFrame(rows, columns=list(schemas.SUBJECT_COUNTS))
    by = [column for column in frame.columns if column != "count"]
    return frame.groupby(by, as_index=False)["count"].sum()


def all_at(share: float) -> np.ndarray:
    return np.full(len(SUBJECTS), share)


def test_the_positive_control_passes_where_the_expression_is_found() -> None:
    found = checks.learnt("apart", counts(all_at(0.8)))
    assert found.passed
    assert found.found.mean == pytest.approx(0.8 + 0.2 / 3, abs=0.1)
    assert found.found.low > 0.7
    assert (found.above, found.below) == (pytest.approx(1 / 3 + 0.05), np.inf)
    assert not checks.learnt("apart", counts(all_at(0.03))).passed
    assert "FAILED  positive, apart: UAR" in checks.learnt("apart", counts(all_at(0))).text


def test_the_negative_control_needs_the_whole_interval_near_chance() -> None:
    nothing = [counts(all_at(0), seed) for seed in range(20)]
    found = checks.not_learnt("apart", "clip", nothing)
    assert found.passed
    assert found.found.mean == pytest.approx(1 / 3, abs=0.02)
    assert "apart with 20 permutations by clip" in found.text
    # Too few data cover chance, with an interval that is too wide to say so.
    few = checks.not_learnt("apart", "clip", nothing[:1])
    assert few.found.low < 1 / 3 < few.found.high
    assert not few.passed
    some = checks.not_learnt("apart", "clip", [counts(all_at(0.15), seed) for seed in range(20)])
    assert some.found.low > 1 / 3
    assert not some.passed


def test_a_leak_is_a_paired_difference_above_zero() -> None:
    apart, mixed = counts(all_at(0), 1), counts(all_at(0.4), 1)
    found = checks.leaks(apart, mixed)
    assert found.passed
    assert found.found.mean == pytest.approx(0.4 * 2 / 3, abs=0.1)
    assert not checks.leaks(apart, apart).passed
    assert not checks.leaks(mixed, apart).passed


def test_a_range_over_subjects_passes_nothing() -> None:
    table = counts(all_at(1))
    few = checks.learnt("apart", table[table["subject"] < "sub05"])
    assert few.found.mean == 1
    assert not few.passed
    assert few.row()["passed"] == 0


def test_the_checks_are_written_as_a_table(tmp_path: Path) -> None:
    row = checks.learnt("apart", counts(all_at(0.8))).row()
    tsv.write(pd.DataFrame([row]), tmp_path / "checks.tsv", checks.CHECKS)
    (read,) = tsv.read_rows(tmp_path / "checks.tsv", checks.CHECKS)
    assert (read["control"], read["passed"], read["below"]) == ("positive", "1", "")


def test_permutations_are_experiments_based_on_the_controls() -> None:
    project, names = projects.permuted()
    assert {base for _, base in names} == {"pictures_apart", "pictures_left_out"}
    assert {unit for unit, _ in names} == {"example", "clip", "subject"}
    for (unit, base), own in names.items():
        blocks = [project.config["experiments"][name] for name in own]
        assert blocks == [
            {"based_on": base, "permute_labels": {"unit": unit, "seed": seed}}
            for seed in range(1, 21)
        ]
    assert project.results == projects.expression().results
    named = [name for own in names.values() for name in own]
    assert len(named) == len(set(named)) == 80
    (only,) = projects.permuted(projects.PERMUTED[:1])[1]
    assert only == ("subject", "pictures_apart")


def test_doses_differ_in_the_intensity_alone() -> None:
    made = projects.doses((0.1, 1.0))
    blocks = [load(project.config) for project in made.values()]
    assert [block["synthetic"]["intensity"]["apex"] for block in blocks] == [0.1, 1.0]
    for block, own in zip(blocks, ("intensity0.1", "intensity1"), strict=True):
        assert block["results"] == f"results/controls/dose/{own}"
        block["synthetic"]["intensity"]["apex"] = 0
        for database in block["databases"].values():
            assert own in database.pop("table")
            assert own in database.pop("frames")
        del block["results"]
    assert blocks[0] == blocks[1]


@pytest.mark.parametrize("middle", [0.5, 1.5, 4.0])
def test_a_curve_is_found_again(middle: float) -> None:
    slope, lapse = 1.8, 0.1
    scores = 1 / 3 + (2 / 3 - lapse) * norm.cdf(slope * np.log(DOSES / middle))
    curve = psychometric.fit(DOSES, scores, 3)
    assert curve.score(DOSES) == pytest.approx(scores, abs=1e-3)
    assert curve.threshold == pytest.approx(middle, rel=0.1)
    assert -curve.intercept / curve.slope == pytest.approx(np.log(curve.threshold))


@pytest.mark.parametrize(
    ("scores", "outside", "value"),
    [
        ([0.33, 0.34, 0.33, 0.35, 0.33, 0.34], "above", 6.4),
        ([0.33, 0.33, 0.34, 0.35, 0.38, 0.45], "above", 6.4),
        ([0.99, 1.0, 0.98, 0.99, 1.0, 0.99], "below", 0.2),
        ([0.33, 0.34, 0.5, 0.8, 0.97, 0.98], "", None),
    ],
)
def test_a_threshold_may_lie_outside_the_doses(
    scores: list[float], outside: str, value: float | None
) -> None:
    random = np.random.default_rng(1)
    resampled = np.array(scores) + random.normal(0, 0.02, (50, 6))
    found = psychometric.threshold(DOSES, np.array(scores), resampled, 3)
    assert found.outside == outside
    assert found.low <= found.value <= found.high
    if value is None:
        assert 0.8 < found.low < found.value < found.high < 1.6
    else:
        assert found.value == value
        assert value in (found.low, found.high)


def test_a_resample_without_a_curve_counts_as_above_the_doses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = 1 / 3 + 0.6 * norm.cdf(2 * np.log(DOSES / 1.5))
    found = psychometric.fit(DOSES, scores, 3)

    def fit(doses: np.ndarray, scores: np.ndarray, classes: int) -> psychometric.Curve:
        if not scores.any():
            raise RuntimeError("Optimal parameters not found")
        return found

    monkeypatch.setattr(psychometric, "fit", fit)
    resampled = np.concatenate([np.tile(scores, (90, 1)), np.zeros((10, 6))])
    threshold = psychometric.threshold(DOSES, scores, resampled, 3)
    assert (threshold.value, threshold.low) == (found.threshold, found.threshold)
    assert threshold.high == DOSES.max()


def finished_doses(folder: Path) -> dict[float, projects.Project]:
    """Projects as they would be finished: the score rises with the dose."""
    made = {}
    for intensity in (0.02, 0.05, 0.1, 0.2, 0.4, 1.0):
        config = {
            "results": str(folder / f"{intensity}"),
            "databases": {"casme2": {"root": "casme2"}},
            "inputs": {"pairs": {"kind": "onset_apex", "crop": "paper"}},
            "experiments": {
                "apart": {"input": "pairs", "protocol": {"kind": "grouped"}},
                "mixed": {"based_on": "apart", "protocol": {"kind": "matched", "to": "apart"}},
            },
        }
        made[intensity] = project = projects.Project(config)
        for name, gain in (("apart", 1.0), ("mixed", 1.5)):
            place = project.results / "experiments" / name
            share = float(norm.cdf(1.5 * np.log(gain * intensity / 0.12)))
            table = place / "evaluation" / "subject_counts.tsv"
            tsv.write(counts(all_at(share)), table, schemas.SUBJECT_COUNTS)
            row = dict.fromkeys(tsv.SPLIT, "1") | {"sample": "a", "phase": "", "split": "test"}
            tsv.write(pd.DataFrame([row]), place / "split.tsv", tsv.SPLIT)
        truth = [
            dict.fromkeys(TRUTH, "1")
            | {"sample": sample, "quirk": quirk}
            | {"apex_displacement": moved * intensity}
            for sample, quirk, moved in (("a", "", 10), ("a", "duplicated_key", 99), ("b", "", 50))
        ]
        tsv.write(pd.DataFrame(truth), project.results / "databases/casme2.tsv", TRUTH)
    return made


def test_dose_and_response(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dose, "FITTED", 40)
    found = dose.responses(finished_doses(tmp_path))
    assert [astuple(one.learner)[:3] for one in found] == [
        ("apart", "pairs", "grouped"),
        ("mixed", "pairs", "matched"),
    ]
    apart, mixed = found
    assert apart.doses == pytest.approx([0.2, 0.5, 1, 2, 4, 10])
    assert apart.threshold.value == pytest.approx(1.2, rel=0.25)
    assert apart.threshold.low < apart.threshold.value < apart.threshold.high
    assert apart.threshold.outside == ""
    assert mixed.threshold.value < apart.threshold.value
    table = dose.response_table(found)
    assert len(table) == 12
    assert (table["interval_low"] <= table["uar"]).all()
    assert table["uar"].to_numpy() == pytest.approx(table["fitted"].to_numpy(), abs=0.12)
    tsv.write(table, tmp_path / "dose.tsv", dose.RESPONSES)
    tsv.write(dose.threshold_table(found), tmp_path / "thresholds.tsv", dose.THRESHOLDS)
    (first, _) = tsv.read_rows(tmp_path / "thresholds.tsv", dose.THRESHOLDS)
    assert (first["classes"], first["outside"]) == ("3", "")
    style.save(draw_dose.draw(found), tmp_path / "dose.svg", tmp_path / "dose.png")
    assert (tmp_path / "dose.png").stat().st_size > 10_000


@pytest.mark.parametrize("leaking", [False, True])
def test_the_controls_fail_where_permuted_labels_are_learnt(
    leaking: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shares = {"pairs_apart": 0.9, "pictures_apart": 0.5, "apart": 0.0, "mixed": 0.5}
    ran = []

    def finished(project: projects.Project, experiment: str) -> pd.DataFrame:
        learnt = shares.get(experiment, 0.3 * (leaking and "clip" in experiment))
        return counts(all_at(learnt), seed=len(ran) + sum(map(ord, experiment)))

    monkeypatch.setattr(
        projects.Project,
        "run",
        lambda project, cores, names: ran.append((str(project.results), len(names))),
    )
    monkeypatch.setattr(projects.Project, "counts", finished)
    monkeypatch.setattr(run, "RESULTS", tmp_path)
    monkeypatch.setattr(run, "responses", lambda cores: None)
    if leaking:
        with pytest.raises(UserError, match="1 of 7 controls failed: .* permutations by clip"):
            run.run(quick=False, cores=1)
    else:
        run.run(quick=False, cores=1)
        assert "All 7 controls passed" in capsys.readouterr().out
    rows = tsv.read_rows(tmp_path / "checks.tsv", checks.CHECKS)
    assert [row["control"] for row in rows] == ["positive", "positive", "leak", *["negative"] * 4]
    assert [row["passed"] for row in rows].count("0") == leaking
    assert ran == [
        ("results/controls/expression", 2),
        ("results/controls/leak", 2),
        ("results/controls/expression", 80),
    ]
