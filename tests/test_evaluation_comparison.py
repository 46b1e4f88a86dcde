"""Tables 2 and 3, all configurations, and the comparison with the paper."""

from html import escape
from itertools import product

import pytest

from fabricated_runs import (
    CLASSES,
    LABELS,
    SETTINGS,
    example_names,
    make_table,
    summarise,
    write_run,
    write_table_job,
)
from fleeting import tsv
from fleeting.evaluation import claims, paper, render
from fleeting.evaluation.schemas import MOST_CONFUSED, PAPERS_PAIR

ONE_WRONG = ("surprise", *LABELS[1:])
ALL_HAPPY = ("happiness",) * 6


@pytest.fixture
def small(tmp_path):
    """One configuration, the paper's, with two repeats."""
    for repeat, predicted in enumerate((ONE_WRONG, ALL_HAPPY), start=1):
        write_run(tmp_path, predicted, repeat=repeat, validation=(0.5, 0.1 * repeat))
    summarise(tmp_path, repeats=2)
    return tmp_path


def paper_grid(tmp_path, last, repeats=2, peak=None, losses=(1.5, 1.0)):
    """All fifteen; `last(model, lr, repeat)` is the last epoch's validation accuracy."""
    for model, lr, repeat in product(paper.MODELS, paper.LRS, range(1, repeats + 1)):
        value = last(model, lr, repeat)
        first = peak if peak is not None else value
        write_run(
            tmp_path,
            ONE_WRONG,
            model=model,
            lr=lr,
            repeat=repeat,
            validation=(first, value),
            losses=losses,
        )
    summarise(tmp_path, paper.MODELS, paper.LRS, repeats)
    return tmp_path


def orderings(results):
    frame = make_table("paper_comparison", results)[0]
    return frame[frame["kind"] == "ordering"].set_index("claim")


def test_table_2_shows_spread_chance_and_the_papers_values(small):
    frame = make_table("test_metrics", small)[0]
    own = frame[(frame["choice"] == "paper") & (frame["row"] == "happiness")]
    precision = own[own["metric"] == "precision"].iloc[0]
    assert (precision["mean"], precision["repeats"]) == (pytest.approx(2 / 3), 2)
    assert precision["paper"] == 0.08
    accuracy = frame[(frame["choice"] == "paper") & (frame["metric"] == "accuracy")].iloc[0]
    assert accuracy["chance"] == pytest.approx(1 / 3)
    assert accuracy["majority"] == pytest.approx(1 / 3)
    assert accuracy["paper"] == 0.17
    assert set(frame["choice"]) == {"paper", "validation"}


def test_table_3_counts_both_directions(small):
    frame = make_table("confused_pairs", small)[0]
    own = frame[(frame["choice"] == "paper") & (frame["pair"] == PAPERS_PAIR)]
    rates = own.set_index("label")["rate_mean"]
    # Happiness as surprise: 1 of 2, then 0 of 2. Surprise as happiness: 0 of 2, then 2 of 2.
    assert rates["happiness"] == pytest.approx(0.25)
    assert rates["surprise"] == pytest.approx(0.5)
    worst = frame[(frame["choice"] == "paper") & (frame["pair"] == MOST_CONFUSED)]
    assert list(worst["label"]) == ["happiness", "surprise"]


def test_table_3_without_the_papers_classes_says_so(tmp_path):
    write_run(tmp_path, ["a", "b"], labels=["a", "b"], classes=["a", "b"])
    summarise(tmp_path)
    frame = make_table("confused_pairs", tmp_path)[0]
    own = frame[frame["pair"] == PAPERS_PAIR]
    assert own["rate_mean"].isna().all()
    assert own["remark"].str.contains("not among the classes").all()


def test_all_runs_has_every_configuration_and_marks_the_choices(tmp_path):
    paper_grid(tmp_path, lambda model, lr, _: 0.5 if model == "resnet34" else 0.3)
    frame = make_table("all_runs", tmp_path)[0]
    assert len(frame) == 15
    chosen = frame.set_index(["model", "lr"])["choices"]
    assert chosen["resnet18", "1e-05"] == "paper"
    assert chosen["resnet34", "1e-03"] == "validation"
    assert (chosen != "").sum() == 2
    assert frame["repeats"].eq(2).all()
    assert frame["varied"].str.contains("one split").all()
    assert frame["test_accuracy_mean"].tolist() == [pytest.approx(5 / 6, abs=1e-6)] * 15


def test_numbers_stand_beside_the_papers(small):
    frame = make_table("paper_comparison", small)[0]
    numbers = frame[frame["kind"] == "number"].set_index("claim")
    assert len(numbers) == 2 + 18
    accuracy = numbers.loc["test accuracy, ResNet18 at 1e-05"]
    assert (accuracy["paper"], accuracy["this_run"], accuracy["repeats"]) == ("0.17", "0.583", "2")
    assert accuracy["by_chance"] == "0.333"
    assert accuracy["status"] == "outside the range of the repeats"
    validation = numbers.loc["validation accuracy of ResNet18 at 1e-05"]
    assert validation["status"] == "within the range of the repeats"
    tense = numbers.loc["recall of tense on the test images, ResNet18 at 1e-05"]
    assert tense["status"] == "not among this experiment's classes: tense"


def test_every_statement_stays_where_the_grid_lacks_it(tmp_path):
    write_run(tmp_path, ONE_WRONG, lr="1e-02")
    summarise(tmp_path, lrs=["1e-02"])
    frame = make_table("paper_comparison", tmp_path)[0]
    frame = frame[frame["kind"] != "setting"]
    assert len(frame) == 20 + len(claims.all_claims())
    classes = frame["status"].str.startswith("not among this experiment's classes")
    assert (classes | frame["status"].str.startswith("not in this grid: ")).all()
    assert frame["this_run"].eq("").all()


def in_papers_order(model, lr, repeat):
    """Validation accuracies as the paper tells them."""
    tables = {
        "1e-03": (0.30, 0.25, 0.31, 0.40, 0.41),
        "1e-04": (0.36, 0.30, 0.29, 0.35, 0.20),
        "1e-05": (0.28, 0.24, 0.23, 0.22, 0.10),
    }
    return tables[lr][paper.MODELS.index(model)]


def test_orderings_hold_where_the_runs_are_as_the_paper_says(tmp_path):
    found = orderings(paper_grid(tmp_path, in_papers_order))
    for claim in found.index:
        if "ResNet152 became" in claim or claim.startswith(("at 1e-0", "the best accuracy")):
            expected = "0 of 2" if "dropped" in claim or "learns less" in claim else "2 of 2"
            assert found.loc[claim, "holds_in"] == expected, claim
    assert (
        found.loc["the best of all fifteen configurations is ResNet18 at 1e-05", "holds_in"]
        == "0 of 2"
    )
    top = found.loc["at 1e-03 ResNet101 and ResNet152 are on top"]
    assert top["by_chance"] == "0.100"
    assert top["status"] == "holds in the means"


def test_an_ordering_is_decided_in_every_repeat(tmp_path):
    def last(model, lr, repeat):
        value = in_papers_order(model, lr, repeat)
        return 0.9 if (model, lr, repeat) == ("resnet34", "1e-05", 2) else value

    best = orderings(paper_grid(tmp_path, last)).loc["at 1e-05 ResNet18 is best"]
    assert best["holds_in"] == "1 of 2"
    assert best["status"] == "does not hold in the means"


def test_equal_values_bear_no_ordering_out(tmp_path):
    found = orderings(paper_grid(tmp_path, lambda *_: 0.3))
    assert found.loc["at 1e-05 ResNet18 is best", "holds_in"] == "0 of 2"
    assert found.loc["at 1e-05 ResNet152 is lowest", "holds_in"] == "0 of 2"
    assert found.loc["at 1e-03 ResNet50 ends at ResNet18's level", "holds_in"] == "2 of 2"
    assert found.loc["over all rates ResNet18 performs best", "holds_in"] == "0 of 2"


def test_a_drop_is_seen(tmp_path):
    found = orderings(paper_grid(tmp_path, lambda *_: 0.3, peak=0.6))
    claim = "at 1e-03 ResNet152 dropped to the accuracy of ResNet101"
    assert found.loc[claim, "holds_in"] == "2 of 2"


def test_a_run_that_diverged_bears_nothing_out(tmp_path):
    found = orderings(paper_grid(tmp_path, lambda *_: 0.3, losses=(1.0, "nan")))
    claim = "at 1e-05 ResNet18's validation loss is close to its training loss"
    assert found.loc[claim, "holds_in"] == "0 of 2"
    assert found.loc["ResNet18 overfits at 1e-03", "holds_in"] == "0 of 2"


def test_level_includes_the_papers_own_difference():
    ordering = next(one for one in claims.all_claims() if "not far" in one.claim)
    values = dict(zip(ordering.needs, (0.19, 0.17), strict=True))
    assert ordering.holds(values.__getitem__)
    values[ordering.needs[1]] = 0.16
    assert not ordering.holds(values.__getitem__)


def test_the_papers_own_table_contradicts_its_closest_pair():
    found = {one.claim: one for one in claims.all_claims()}
    scores = {("f1-score", label): paper.TABLE_2[label][2] for label in paper.CLASSES}
    closest = next(one for claim, one in found.items() if "closest pair" in claim)
    assert not closest.holds(scores.__getitem__)
    assert found["happiness is the lowest class"].holds(scores.__getitem__)
    assert found["tense is the highest class"].holds(scores.__getitem__)


def test_settings_stand_beside_the_papers(small):
    frame = make_table("paper_comparison", small)[0]
    own = frame[frame["kind"] == "setting"].set_index("claim")["this_run"]
    assert own["kinds of frames"] == "onset, apex, offset"
    assert own["images of a class at most"] == "100"
    assert own["images of a class to test on"] == "2"
    assert own["pixels of a crop"] == "64x64"
    assert own["repeats E"] == "2"


def test_an_experiment_that_is_not_the_papers_has_its_settings_shown(small):
    more = {
        "experiment.protocol": {"kind": "leave_one_out", "group": "subject"},
        "input": {"kind": "onset_apex"},
        "crop.size": None,
    }
    frame = make_table("paper_comparison", small, SETTINGS | more)[0]
    own = frame[frame["kind"] == "setting"].set_index("claim")["this_run"]
    assert own["kinds of frames"] == "the input onset_apex"
    assert own["images of a class at most"] == "no limit"
    assert own["pixels of a crop"] == "as they are"


def test_accuracy_has_uf1_and_uar_beside_it(small):
    frame = make_table("all_runs", small)[0]
    row = frame.iloc[0]
    assert row["test_accuracy_mean"] == pytest.approx((5 / 6 + 1 / 3) / 2)
    # All happy: F1 1/2 for happiness and 0 for the two others.
    assert row["test_uf1_low"] == pytest.approx(1 / 6)
    assert row["test_uar_low"] == pytest.approx(1 / 3)


def test_scores_by_group_say_of_how_many_classes_and_examples(tmp_path):
    examples = [*example_names(4), "samm/006/a/1/apex", "samm/006/b/1/apex"]
    for repeat, predicted in enumerate((LABELS, ONE_WRONG), start=1):
        write_run(tmp_path, predicted, repeat=repeat, examples=examples)
    summarise(tmp_path, repeats=2)
    frame, _, page = make_table("scores", tmp_path)
    own = frame[frame["choice"] == "paper"].set_index(["group", "metric"])
    assert len(own) == 8 * 3
    casme = own.loc["database/casme", "uar"]
    assert (casme["classes"], casme["examples"], casme["repeats"]) == (2, 4, 2)
    assert (casme["mean"], casme["low"], casme["high"]) == pytest.approx((0.875, 0.75, 1))
    assert casme["chance"] == pytest.approx(1 / 3)
    accuracy = own.loc["database/casme", "accuracy"]
    assert accuracy["majority"] == 0.5
    assert own.loc["class/surprise", "uar"]["mean"] == 1
    assert own["mean"].notna().all()
    assert "confidence interval" in page.note


def test_experiments_stand_side_by_side(tmp_path):
    write_run(tmp_path, ONE_WRONG, experiment="paper")
    summarise(tmp_path)
    for fold in (1, 2):
        write_run(tmp_path, LABELS, fold=fold, experiment="loso", model="shallow", lr="1e-03")
    summarise(tmp_path, ["shallow"], ["1e-03"], experiment="loso")
    blocks = {
        "loso": {"input": "flow", "protocol": {"kind": "leave_one_out", "group": "subject"}},
        "paper": {"input": "paper", "protocol": {"kind": "random_images"}},
    }
    output = tmp_path / "comparison" / "experiments.tsv"
    # The config's blocks come sorted by name, the files in the order of the config.
    settings = {"experiments": blocks}
    write_table_job("experiments", tmp_path, output, settings, ["paper", "loso"])
    rows = tsv.read_rows(output, {})
    assert [row["experiment"] for row in rows] == ["paper", "paper", "loso", "loso"]
    loso = rows[2]
    assert (loso["protocol"], loso["input"]) == ("leave_one_out subject", "flow")
    assert (loso["folds"], loso["test_examples"], loso["model"]) == ("2", "12", "shallow")
    assert (loso["uf1_mean"], loso["uar_mean"]) == ("1.000000", "1.000000")
    assert (loso["chance"], loso["classes"]) == ("0.333333", "3")
    assert rows[0]["accuracy_mean"] == "0.833333"
    assert rows[0]["varied"] == "nothing: one repeat"


def test_pages_say_how_the_numbers_were_obtained(small):
    for name in ("test_metrics", "confused_pairs", "all_runs", "paper_comparison", "scores"):
        page = make_table(name, small)[2]
        assert "2 repeats on one split" in page.note
        assert "neither is a confidence interval" in page.note
        assert escape(page.title) in render.html(page)


def test_one_repeat_is_said_to_have_no_spread(tmp_path):
    write_run(tmp_path, ONE_WRONG)
    summary = summarise(tmp_path)
    assert summary.provenance().startswith("One repeat on one split: nothing varied")
    assert summary.classes == list(CLASSES)
