"""The comparison with the paper: its settings, numbers and claims."""

from itertools import product

import pytest

from fabricated_runs import ALL_HAPPY, ONE_WRONG, SETTINGS, make_table, summarise, write_run
from fleeting.evaluation import paper_values
from fleeting.evaluation.paper_claims import CLAIMS, Claim
from fleeting.tables.paper_comparison import ordering

CLAIM = {claim.claim: claim for claim in CLAIMS}
BEST = "at 1e-05 ResNet18 is best"


@pytest.fixture
def small(tmp_path):
    """One configuration, the paper's, with two repeats."""
    for repeat, predicted in enumerate((ONE_WRONG, ALL_HAPPY), start=1):
        write_run(tmp_path, predicted, repeat=repeat, validation=(0.5, 0.1 * repeat))
    summarise(tmp_path, repeats=2)
    return tmp_path


def rows(results, kind, **settings):
    frame = make_table("paper_comparison", results, SETTINGS | settings)[0]
    return frame[frame["kind"] == kind].set_index("claim")


def orderings(tmp_path, last, peak=None, losses=(1.5, 1.0)):
    """Of all fifteen; `last(model, lr, repeat)` is the last epoch's validation accuracy."""
    for model, lr, repeat in product(paper_values.MODELS, paper_values.LRS, (1, 2)):
        value = last(model, lr, repeat)
        validation = (value if peak is None else peak, value)
        name = {"model": model, "lr": lr, "repeat": repeat}
        write_run(tmp_path, ONE_WRONG, **name, validation=validation, losses=losses)
    summarise(tmp_path, paper_values.MODELS, paper_values.LRS, 2)
    return rows(tmp_path, "ordering")


def in_papers_order(model, lr, repeat):
    """Validation accuracies as the paper tells them."""
    tables = {
        "1e-03": (0.30, 0.25, 0.31, 0.40, 0.41),
        "1e-04": (0.36, 0.30, 0.29, 0.35, 0.20),
        "1e-05": (0.28, 0.24, 0.23, 0.22, 0.10),
    }
    return tables[lr][paper_values.MODELS.index(model)]


def test_numbers_stand_beside_the_papers(small):
    numbers = rows(small, "number")
    assert len(numbers) == 2 + 18
    accuracy = numbers.loc["test accuracy, ResNet18 at 1e-05"]
    assert (accuracy["paper"], accuracy["this_run"], accuracy["repeats"]) == ("0.17", "0.583", "2")
    assert accuracy["by_chance"] == "0.333"
    assert accuracy["status"] == "outside the range of the repeats"
    validation = numbers.loc["validation accuracy of ResNet18 at 1e-05"]
    assert validation["status"] == "within the range of the repeats"
    f1 = numbers.loc["f1-score of happiness on the test images, ResNet18 at 1e-05"]
    assert (f1["paper"], f1["this_run"], f1["by_chance"]) == ("0.06", "0.583", "0.333")
    tense = numbers.loc["recall of tense on the test images, ResNet18 at 1e-05"]
    assert tense["status"] == "not among this experiment's classes: tense"
    assert tense["by_chance"] == ""


def test_every_statement_stays_where_the_grid_lacks_it(tmp_path):
    write_run(tmp_path, ONE_WRONG, lr="1e-02")
    summarise(tmp_path, lrs=["1e-02"])
    frame = make_table("paper_comparison", tmp_path)[0]
    frame = frame[frame["kind"] != "setting"]
    assert len(frame) == 20 + len(CLAIMS)
    classes = frame["status"].str.startswith("not among this experiment's classes")
    assert (classes | frame["status"].str.startswith("not in this grid: ")).all()
    assert frame["this_run"].eq("").all()


def test_orderings_hold_where_the_runs_are_as_the_paper_says(tmp_path):
    found = orderings(tmp_path, in_papers_order)
    held = set(found.index[found["holds_in"] == "2 of 2"])
    assert held == {
        "at 1e-03 ResNet101 and ResNet152 are on top",
        "at 1e-03 ResNet152 became the top model",
        "at 1e-03 ResNet50 ends at ResNet18's level",
        "at 1e-04 ResNet18 and ResNet101 are best",
        "at 1e-04 ResNet101 is the same as ResNet18",
        "at 1e-04 ResNet152 is lowest",
        BEST,
        "at 1e-05 ResNet152 is lowest",
        "the best accuracy at 1e-04 is below that at 1e-03 (the sentence is garbled; so read)",
        "the best accuracy at 1e-05 is below those at the other rates",
        "at 1e-05 ResNet18's validation loss is close to its training loss",
    }
    top = found.loc["at 1e-03 ResNet101 and ResNet152 are on top"]
    assert (top["by_chance"], top["status"]) == ("0.100", "holds in the means")
    best = found.loc["the best of all fifteen configurations is ResNet18 at 1e-05"]
    assert (best["by_chance"], best["holds_in"]) == ("0.067", "0 of 2")


def test_an_ordering_is_decided_in_every_repeat(tmp_path):
    def last(model, lr, repeat):
        better = (model, lr, repeat) == ("resnet34", "1e-05", 2)
        return 0.9 if better else in_papers_order(model, lr, repeat)

    best = orderings(tmp_path, last).loc[BEST]
    assert (best["holds_in"], best["status"]) == ("1 of 2", "does not hold in the means")


def test_equal_values_are_level_and_neither_above_nor_below(tmp_path):
    found = orderings(tmp_path, lambda *_: 0.3, peak=0.6)["holds_in"]
    for claim in (BEST, "at 1e-05 ResNet152 is lowest", "over all rates ResNet18 performs best"):
        assert found[claim] == "0 of 2"
    assert found["at 1e-03 ResNet50 ends at ResNet18's level"] == "2 of 2"
    assert found["at 1e-03 ResNet152 dropped to the accuracy of ResNet101"] == "2 of 2"


def test_no_claim_holds_for_a_run_that_diverged(tmp_path):
    found = orderings(tmp_path, lambda *_: 0.3, losses=(1.0, "nan"))["holds_in"]
    assert found["at 1e-05 ResNet18's validation loss is close to its training loss"] == "0 of 2"
    assert found["ResNet18 overfits at 1e-03"] == "0 of 2"


@pytest.mark.parametrize(
    ("claim", "values", "holds"),
    [
        # Level includes the paper's own difference.
        ("the test accuracy is not far from the validation accuracy", (0.19, 0.17), True),
        ("the test accuracy is not far from the validation accuracy", (0.19, 0.16), False),
        ("ResNet18 overfits at 1e-03", (1.1, 1.0, 0.9), True),
        ("ResNet18 overfits at 1e-03", (1.1, 1.0, 1.06), False),
        ("at 1e-04 ResNet18 learns less than at 1e-03", (1.0, 0.5), True),
        ("ResNet18's training accuracy is highest at 1e-03", (0.5, 0.6, 0.1), False),
    ],
)
def test_claims_of_few_values(claim, values, holds):
    found = CLAIM[claim]
    assert found.holds(dict(zip(found.needs, values, strict=True))) == holds


def test_the_papers_own_table_contradicts_its_closest_pair():
    scores = {("f1-score", label): values[2] for label, values in paper_values.TABLE_2.items()}
    of_classes = [claim for claim in CLAIMS if claim.where == "section 4.3, table 2"]
    assert [claim.holds(scores) for claim in of_classes] == [True, True, False]


def test_orderings_compare_the_same_repeats():
    """Repeat 1 of one model is never compared with repeat 2 of another."""
    one, other = ("test_accuracy", "resnet18", "1e-05"), ("test_accuracy", "resnet34", "1e-05")
    second_is_better = Claim("", "", "", (one, other), lambda first, second: second > first)
    found = ordering(second_is_better, {one: {2: 0.5, 3: 0.9}, other: {1: 0.1, 2: 0.8}})
    assert (found["repeats"], found["holds_in"]) == ("1", "1 of 1")
    assert found["this_run"] == "at 1e-05: ResNet18 0.500, ResNet34 0.800"
    found = ordering(second_is_better, {one: {2: 0.5}, other: {1: 0.1}})
    assert (found["repeats"], found["status"][:9]) == ("0", "no repeat")


def test_settings_stand_beside_the_papers(small):
    own = rows(small, "setting")["this_run"]
    expected = {
        "kinds of frames": "onset, apex, offset",
        "images of a class at most": "100",
        "images of a class to test on": "2",
        "pixels of a crop": "64x64",
        "repeats E": "2",
        "pretrained weights": "imagenet",
        "optimiser": "sgd",
        "augmentations": "none",
    }
    assert own[list(expected)].to_dict() == expected
    more = {
        "experiment.protocol": {"kind": "leave_one_out", "group": "subject"},
        "input": {"kind": "onset_apex"},
        "crop.size": None,
        "experiment.recipe.weights": "/data/faces/{model}.pt",
        "experiment.recipe.augmentations": [{"kind": "shift"}, {"kind": "mixup"}],
    }
    own = rows(small, "setting", **more)["this_run"]
    assert own["kinds of frames"] == "the input onset_apex"
    assert own["images of a class at most"] == "no limit"
    assert own["pixels of a crop"] == "as they are"
    assert own["pretrained weights"] == "a file", "tables hold no paths"
    assert own["augmentations"] == "shift, mixup"
