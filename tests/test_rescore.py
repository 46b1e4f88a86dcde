"""Anyone's predictions: read in three forms, scored by every definition, a claim explained."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from fleeting.errors import UserError
from fleeting.rescore import score
from fleeting.rescore.definitions import fitting
from fleeting.rescore.predictions import Predictions, read

ROOT = Path(__file__).parents[1]
CLASSES = ["negative", "positive", "surprise"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """442 predictions of 68 subjects in three databases; two databases have a subject s15."""
    generator = np.random.default_rng(1)
    rows = []
    for database, subjects, clips in (("smic", 16, 164), ("casme2", 24, 145), ("samm", 28, 133)):
        for clip in range(clips):
            label = generator.choice(CLASSES, p=[0.57, 0.25, 0.18])
            right = generator.random() < 0.7
            predicted = label if right else generator.choice(CLASSES)
            rows.append((f"c{clip}", f"s{clip % subjects}", database, label, predicted))
    return pd.DataFrame(rows, columns=["sample", "subject", "database", "label", "predicted"])


def predictions_of(table: pd.DataFrame) -> Predictions:
    return Predictions(
        *(table[column].tolist() for column in ("label", "predicted", "subject", "database"))
    )


def test_scores_are_those_of_scikit_learn(table: pd.DataFrame) -> None:
    found = score.rescore(predictions_of(table))
    assert [(group.name, group.predictions, group.subjects) for group in found.groups] == [
        ("all", 442, 68),
        ("casme2", 145, 24),
        ("samm", 133, 28),
        ("smic", 164, 16),
    ]
    for group in found.groups:
        own = table if group.name == "all" else table[table["database"] == group.name]
        arguments = (own["label"], own["predicted"])
        named = {"labels": group.classes, "average": "macro", "zero_division": 0}
        assert group.scores["uf1"] == pytest.approx(f1_score(*arguments, **named), abs=1e-12)
        assert group.scores["uar"] == pytest.approx(recall_score(*arguments, **named), abs=1e-12)
        interval = group.intervals["uar"]
        assert interval.low < group.scores["uar"] < interval.high
    arguments = (table["label"], table["predicted"])
    weighted = found.definitions["weighted F1"]
    assert weighted == pytest.approx(f1_score(*arguments, average="weighted"), abs=1e-12)
    macro = found.definitions["macro precision"]
    assert macro == pytest.approx(precision_score(*arguments, average="macro"), abs=1e-12)
    by_subject = [
        f1_score(own["label"], own["predicted"], average="macro", zero_division=0)
        for _, own in table.groupby(["database", "subject"])
    ]
    mean = found.definitions["mean F1 over subjects, own and predicted classes"]
    assert mean == pytest.approx(np.mean(by_subject), abs=1e-12)


@pytest.mark.parametrize("form", ["csv", "tsv", "xlsx", "renamed"])
def test_tables(table: pd.DataFrame, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"predictions.{form.replace('renamed', 'csv')}"
    columns = {}
    if form == "xlsx":
        table.to_excel(path, index=False)
    elif form == "renamed":
        columns = {"label": "What it is", "predicted": "said"}
        table.rename(columns=columns).to_csv(path)
    else:
        table.to_csv(path, sep="\t" if form == "tsv" else ",", index=False)
    assert read(path, columns) == predictions_of(table)


def test_classes_as_numbers_and_usual_headings(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("Subject,Dataset,y_true,y_pred\ns1,samm,0,2\ns1,samm,1,1\ns2,samm,,1\n")
    found = read(path, {})
    assert (found.label, found.predicted) == (["0", "1"], ["2", "1"])
    assert (found.subject, found.database) == (["s1", "s1"], ["samm", "samm"])


LOGS = [
    "Subject sub01\nPredicted: [2, 0]\nGround truth: [2, 1]\nSubject sub02\n"
    "Predicted: [1]\nGround truth: [1]\n",
    "sub01: labels [2, 1], predictions [2, 0]\nsub02: labels [1], predictions [1]\n",
    "epoch 3 accuracy 0.5\nsub01\ngt = [2 1]\npred = [2 0]\nacc [0.5]\nsub02\ngt = [1]\npred = [1]",
]


@pytest.mark.parametrize("text", LOGS)
def test_a_log_of_two_lists_a_subject(tmp_path: Path, text: str) -> None:
    path = tmp_path / "train.log"
    path.write_text(text)
    found = read(path, {})
    assert found.label == ["2", "1", "1"]
    assert found.predicted == ["2", "0", "1"]
    assert found.subject == ["sub01", "sub01", "sub02"]


def test_lists_of_different_lengths(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text("sub07\ngt [1, 2, 3]\npred [1, 2]\n")
    with pytest.raises(UserError, match="subject sub07 have 3 labels and 2 predictions"):
        read(path, {})


MATRICES = [
    ",a,b,c\na,5,1,0\nb,2,3,1\nc,0,0,4\n",
    "a,b,c\n5,1,0\n2,3,1\n0,0,4\n",
    "5 ,1,0\n2,3,1\n0,0,4\n",
]


@pytest.mark.parametrize("text", MATRICES)
def test_a_confusion_matrix(tmp_path: Path, text: str) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text(text)
    found = read(path, {})
    pairs = pd.Series(list(zip(found.label, found.predicted, strict=True))).value_counts()
    assert sorted(pairs.tolist()) == [1, 1, 2, 3, 4, 5]
    scored = score.rescore(found)
    assert scored.definitions["accuracy"] == pytest.approx(12 / 16)
    assert scored.definitions["UAR"] == pytest.approx((5 / 6 + 3 / 6 + 1) / 3)
    assert not scored.groups[0].intervals
    assert "does not name subjects" in score.describe(scored)[-1]


def test_lines_that_are_left_out_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "p.csv"
    path.write_text("subject,label,predicted\n1,a,a\n1,b,\n2,b,b\n2,a\n")
    score.run(file=path, claim="", columns="")
    assert "Warning: 2 of 4 lines lack a label or a prediction" in (said := capsys.readouterr().out)
    assert "the first of them line 3" in said


def test_labels_and_predictions_that_are_not_written_alike_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text("label,predicted\nhappy,0\nsad,1\n")
    score.run(file=path, claim="", columns="")
    assert "Warning: no prediction is one of the labels (happy, sad); write both" in (
        capsys.readouterr().out
    )
    path.write_text("label,predicted\nhappy,happy\nsad,Sad\n")
    score.run(file=path, claim="", columns="")
    assert "Warning: Sad and sad count as different classes" in capsys.readouterr().out
    path.write_text("label,predicted\nhappy,happy\nsad,happy\n")
    score.run(file=path, claim="", columns="")
    assert "Warning" not in capsys.readouterr().out


def test_resamples_that_lack_a_rare_class_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"s{number},{'rare' if number == 0 else 'common'}" for number in range(20)]
    path = tmp_path / "predictions.csv"
    rows = [f"{x},{x.split(',')[1]}" for x in lines]
    path.write_text("\n".join(["subject,label,predicted", *rows]))
    score.run(file=path, claim="", columns="")
    share = float(
        re.findall(r"([0-9.]+)% of the resamples lack a class", capsys.readouterr().out)[0]
    )
    # One subject of twenty is in no draw of twenty with (19/20)^20.
    assert share == pytest.approx(100 * 0.95**20, abs=4)


def test_an_unknown_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("subject,label,predicted\n1,a,a\n")
    with pytest.raises(UserError, match="no column is called 'sbject'; known: label, predicted"):
        score.run(file=path, claim="", columns="sbject=subject")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "no.csv", Path()):
        with pytest.raises(UserError, match="no such file; name one with FILE="):
            read(path, {})


def test_definitions_that_are_the_same_are_named_once() -> None:
    """Every database has every class, so that no convention on classes differs."""
    labels = ["x", "y"] * 4
    databases = ["a"] * 4 + ["b"] * 4
    found = score.rescore(Predictions(labels, ["x"] * 8, ["1"] * 8, databases)).definitions
    assert [name for name in found if "F1 over databases" in name] == [
        "mean F1 over databases, all classes"
    ]


def test_what_is_none_of_them(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\nhello,world\n")
    with pytest.raises(UserError, match=r"notes\.csv: neither a table.*COLUMNS="):
        read(path, {})


def test_the_claim_of_a_precision_as_a_recall(table: pd.DataFrame) -> None:
    found = score.rescore(predictions_of(table))
    precision = found.definitions["macro precision"]
    assert abs(precision - found.definitions["UAR"]) > 0.001
    said = score.explain("uar", f"{precision:.4f}", found)
    assert f"The UAR of these predictions is {found.definitions['UAR']:.4f}" in said
    assert said.endswith("is the macro precision.")
    assert score.explain("uar", f"{found.definitions['UAR']:.4f}", found).endswith("It is that.")
    assert "No definition" in score.explain("uf1", "0.9999", found)


def test_a_claim_that_several_definitions_fit() -> None:
    labels = ["x", "y"] * 5
    found = score.rescore(Predictions(labels, labels, ["1"] * 10, ["a"] * 10))
    said = score.explain("uar", "1.000", found)
    assert "Ambiguous: the claimed number fits accuracy; UF1; UAR; macro precision" in said
    for claim in ("high", "nan", "inf%"):
        with pytest.raises(UserError, match=f"CLAIM: '{claim}' is not a number"):
            score.explain("uar", claim, found)


def test_a_class_that_is_a_number_is_the_same_as_a_whole_number_and_as_a_decimal(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("label,predicted\n0,0.0\n1,1.00\n10,0\n2.5,2.5\n-1,-1.0\n")
    found = read(file, {})
    assert found.label == ["0", "1", "10", "2.5", "-1"]
    assert found.predicted == ["0", "1", "0", "2.5", "-1"]


@pytest.mark.parametrize("claim", ["0.7605", ".7605", "76.05%", "76.05"])
def test_claims_round_at_their_own_decimals(claim: str) -> None:
    assert fitting(claim, {"one": 0.76046, "two": 0.7606, "three": 0.76054}) == ["one", "three"]


def test_null_models(table: pd.DataFrame) -> None:
    found = score.rescore(predictions_of(table)).nulls
    assert found["majority"]["uar"] == pytest.approx(1 / 3)
    assert found["uniform"]["accuracy"] == pytest.approx(1 / 3)
    assert found["class shares"]["uf1"] == pytest.approx(1 / 3)
    # In each database the same class is the most frequent one.
    assert found["database-only"] == found["majority"]


def test_a_database_that_gives_the_class_away() -> None:
    """Counted on the other subjects: with one subject a database there is nothing to count."""
    rows = [
        (label, database, subject)
        for database, label in (("a", "x"), ("b", "y"))
        for subject in "12"
        for _ in range(5)
    ]
    labels, databases, subjects = (list(column) for column in zip(*rows, strict=True))
    found = score.rescore(Predictions(labels, labels, subjects, databases)).nulls
    assert found["database-only"]["uar"] == 1
    alone = ["1"] * len(labels)
    found = score.rescore(Predictions(labels, labels, alone, databases)).nulls
    assert found["database-only"]["uar"] == 0.5


@pytest.mark.slow
def test_make_rescore(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "some predictions.csv"
    table.to_csv(path, index=False)
    command = [sys.executable, str(ROOT / "workflow/scripts/job.py"), "rescore.score"]
    command += ["--file", str(path), "--claim", "uar=0.5", "--columns", ""]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "all: 442 predictions, 68 subjects" in done.stdout
    assert "Claimed: UAR 0.5." in done.stdout
