"""Tables 2 and 3, all configurations, scores by group, experiments; the job that writes a table."""

from itertools import product
from pathlib import Path

import pytest

from fabricated_runs import (
    ALL_HAPPY,
    LABELS,
    ONE_WRONG,
    SETTINGS,
    declared,
    example_names,
    experiment_folder,
    make_table,
    summarise,
    write_gate,
    write_run,
)
from fleeting import registry
from fleeting.errors import UserError
from fleeting.evaluation import write_table
from fleeting.evaluation.schemas import MOST_CONFUSED, PAPERS_PAIR

#: Those that need more than runs and their split have tests of their own.
ELSEWHERE = {"apexes", "databases", "excluded", "label_map_counts", "leak_meter", "near_duplicates"}
ELSEWHERE |= {"overview", "table1_structure"}
NAMES = sorted({*registry.names("table")} - ELSEWHERE)


@pytest.fixture
def small(tmp_path):
    """One configuration, the paper's, with two repeats."""
    for repeat, predicted in enumerate((ONE_WRONG, ALL_HAPPY), start=1):
        write_run(tmp_path, predicted, repeat=repeat)
    summarise(tmp_path, repeats=2)
    return tmp_path


def of_papers_choice(name, results):
    frame = make_table(name, results)[0]
    assert set(frame["choice"]) == {"paper", "validation"}
    return frame[frame["choice"] == "paper"]


def test_table_2_shows_spread_chance_and_the_papers_values(small):
    own = of_papers_choice("table2_test_metrics", small).set_index(["row", "metric"])
    precision = own.loc["happiness", "precision"]
    assert (precision["mean"], precision["repeats"]) == (pytest.approx(2 / 3), 2)
    assert precision["paper"] == 0.08
    accuracy = own.loc["accuracy", "accuracy"]
    assert (accuracy["chance"], accuracy["majority"]) == pytest.approx((1 / 3, 1 / 3))
    assert accuracy["paper"] == 0.17


def test_table_3_counts_both_directions(small):
    own = of_papers_choice("table3_confused_pairs", small).set_index("pair")
    rates = own.loc[PAPERS_PAIR].set_index("label")["rate_mean"]
    # Happiness as surprise: 1 of 2, then 0 of 2. Surprise as happiness: 0 of 2, then 2 of 2.
    assert rates.to_dict() == pytest.approx({"happiness": 0.25, "surprise": 0.5})
    assert list(own.loc[MOST_CONFUSED, "label"]) == ["happiness", "surprise"]


def test_table_3_without_the_papers_classes_says_so(tmp_path):
    write_gate(experiment_folder(tmp_path), ["a", "b"])
    write_run(tmp_path, ["a", "b"], labels=["a", "b"])
    summarise(tmp_path)
    own = of_papers_choice("table3_confused_pairs", tmp_path).set_index("pair").loc[PAPERS_PAIR]
    assert own["rate_mean"].isna().all()
    assert own["remark"].str.contains("not among the classes").all()


def test_all_runs_has_every_configuration_and_marks_the_choices(tmp_path):
    models, lrs = ["resnet18", "resnet34"], ["1e-04", "1e-05"]
    for model, lr, repeat in product(models, lrs, (1, 2)):
        accuracy = 0.5 if model == "resnet34" else 0.3
        predicted = ONE_WRONG if repeat == 1 else ALL_HAPPY
        name = {"model": model, "lr": lr, "repeat": repeat}
        write_run(tmp_path, predicted, **name, validation=(0.9, accuracy))
    summarise(tmp_path, models, lrs, 2)
    frame = make_table("all_runs", tmp_path)[0]
    assert list(frame["choices"]) == ["", "paper", "validation", ""]
    assert frame["repeats"].eq(2).all()
    assert frame["varied"].str.contains("one split").all()
    row = frame.iloc[0]
    assert row["test_accuracy_mean"] == pytest.approx((5 / 6 + 1 / 3) / 2)
    # All happy: F1 1/2 for happiness and 0 for the two others.
    assert (row["test_uf1_low"], row["test_uar_low"]) == pytest.approx((1 / 6, 1 / 3))


def test_scores_by_group_say_of_how_many_classes_and_examples(tmp_path):
    examples = [*example_names(4), "samm/006/a/1/apex", "samm/006/b/1/apex"]
    for repeat, predicted in enumerate((LABELS, ONE_WRONG), start=1):
        write_run(tmp_path, predicted, repeat=repeat, examples=examples)
    summarise(tmp_path, repeats=2)
    own = of_papers_choice("scores_by_group", tmp_path).set_index(["group", "metric"])
    assert len(own) == 8 * 3
    casme = own.loc["database/casme", "uar"]
    assert (casme["classes"], casme["examples"], casme["repeats"]) == (2, 4, 2)
    assert (casme["mean"], casme["low"], casme["high"]) == pytest.approx((0.875, 0.75, 1))
    assert casme["chance"] == pytest.approx(1 / 3)
    assert own.loc["database/casme", "accuracy"]["majority"] == 0.5
    # Two classes of a half each, named for a third of the examples each: F1 2/5.
    assert own.loc["database/casme", "uf1"]["chance"] == pytest.approx(0.4)
    assert own["chance"].notna().all()
    assert own.loc["class/surprise", "uar"]["mean"] == 1
    assert own["mean"].notna().all()


def test_experiments_stand_side_by_side(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    summarise(tmp_path)
    for fold in (1, 2):
        write_run(tmp_path, LABELS, fold=fold, experiment="other", model="small", lr="1e-03")
    summarise(tmp_path, ["small"], ["1e-03"], experiment="other")
    permuted = {"paper": {"unit": "clip", "seed": 1}, "other": None}
    settings = {**SETTINGS, "experiments.*.permute_labels": permuted}
    rows = make_table("experiments", tmp_path, settings, ["paper", "other"])[0]
    assert rows["protocol"][0] == "random_images, labels permuted by clip"
    assert list(rows["experiment"]) == ["paper", "paper", "other", "other"]
    other = rows.iloc[2]
    assert (other["protocol"], other["input"]) == ("leave_one_out subject", "flow")
    assert (other["folds"], other["test_examples"], other["model"]) == (2, 12, "small")
    assert (other["uf1_mean"], other["uar_mean"], other["classes"]) == (1, 1, 3)
    assert other["chance"] == pytest.approx(1 / 3)
    assert 0 < other["uf1_chance"] <= other["chance"] + 0.01
    assert rows["accuracy_mean"][0] == pytest.approx(5 / 6)
    assert rows["varied"][0] == "nothing: one repeat"


@pytest.mark.parametrize("name", NAMES)
def test_each_table_is_written_for_a_grid_without_the_papers_choice(tmp_path, name):
    for model, lr, repeat in product(("resnet18", "resnet34"), ("1e-02", "1e-03"), (1, 2)):
        write_run(tmp_path, ONE_WRONG, model=model, lr=lr, repeat=repeat)
    summarise(tmp_path, ["resnet18", "resnet34"], ["1e-02", "1e-03"], 2)
    files = [
        f"{key}={path}"
        for key, paths in declared("table", name, tmp_path).items()
        for path in paths
    ]
    constants = registry.constants("table", name)
    settings = {key: SETTINGS[key] for key in constants["SETTINGS"]}
    written = []
    for folder in ("one", "again"):
        output = tmp_path / folder / "table.tsv"
        write_table.run(table=name, files=files, settings=settings, output=output)
        written.append({path.suffix: path.read_text() for path in output.parent.iterdir()})
    assert written[0] == written[1]
    formats = ("tsv", "html", *constants.get("FORMATS", ()))
    assert set(written[0]) == {f".{name}" for name in formats}
    assert all(str(tmp_path) not in text for text in written[0].values())
    if "runs" in constants["READS"] and "SCOPE" not in constants:
        assert "2 repeats on one split" in written[0][".html"]
        assert "neither is a confidence interval" in written[0][".html"]


def test_an_experiment_may_have_one_metric(tmp_path):
    """Those that it does not ask for have no interval."""
    write_run(tmp_path, ONE_WRONG)
    summarise(tmp_path, metrics=["uf1"])
    settings = {**SETTINGS, "experiment.metrics": ["uf1"]}
    for name in ("all_runs", "baselines", "table2_test_metrics", "scores_by_group", "experiments"):
        make_table(name, tmp_path, settings)
    frame, page = make_table("all_runs", tmp_path, settings)
    assert frame["uf1_chance"].tolist() == pytest.approx([1 / 3])
    shown = page.parts[0][1]
    assert "test UF1, 95% interval" in shown
    assert "test UAR, 95% interval" not in shown


def test_runs_that_were_not_summarised_are_named(tmp_path):
    with pytest.raises(UserError, match=r"evaluation/runs.tsv: the table is missing"):
        make_table("all_runs", tmp_path)


@pytest.mark.parametrize("name", registry.names("table"))
def test_the_rules_can_read_what_a_table_declares_without_importing_it(name):
    constants = registry.constants("table", name)
    module = registry.load("table", name)
    for constant in ("CAPTION", "READS", "SETTINGS"):
        assert constants[constant] == getattr(module, constant)
    assert constants.get("SCOPE") in (None, "comparison")
    for paths in declared("table", name, Path("results")).values():
        assert all("{" not in str(path) for path in paths)


def test_files_of_one_name_follow_each_other():
    files = write_table.by_name(["a=/x/1=2.tsv", "b=/y", "a=/z"])
    assert files == {"a": [Path("/x/1=2.tsv"), Path("/z")], "b": [Path("/y")]}
