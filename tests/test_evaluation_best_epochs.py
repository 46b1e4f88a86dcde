"""What choosing the epoch on the test set would have claimed, from traces made by hand."""

import json

import pytest

from fabricated_runs import LABELS, example_names, summarise, write_run
from fleeting import tsv
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.paths import sha256

#: What is predicted after three epochs: right for two, then four, then two other examples.
HAPPY = ("happiness",) * 6
FOUR = ("others", "others", *LABELS[2:])
OTHERS = ("others",) * 6
EPOCHS = (HAPPY, FOUR, OTHERS)


def write_trace(folder, epochs=EPOCHS, folds=(1,)) -> None:
    rows = [
        {"fold": fold, "epoch": epoch, "example": name, "label": label, "predicted": guess}
        for fold in folds
        for epoch, predicted in enumerate(epochs, start=1)
        for name, label, guess in zip(example_names(6, fold), LABELS, predicted, strict=True)
    ]
    tsv.write_rows(rows, folder / "trace.tsv", tsv.TRACE)
    path = folder / "run.json"
    stated = json.loads(path.read_text()) | {"trace_sha256": sha256(folder / "trace.tsv")}
    path.write_text(json.dumps(stated))


def found(results, **changes):
    summarise(results, trace=True, **changes)
    path = results / "experiments/paper/evaluation/best_epochs.tsv"
    return schemas.read(path, schemas.BEST_EPOCHS)


def test_one_epoch_for_all_and_the_best_for_each(tmp_path) -> None:
    run = write_run(tmp_path, OTHERS, validation=(0.1,) * 3, losses=(1,) * 3)
    write_trace(run)
    table = found(tmp_path).set_index("metric")
    assert table.loc["uar", ["unit", "epochs", "epoch_for_all"]].tolist() == ["example", 3, 2]
    values = table.loc["uar", ["last", "best_for_all", "best_for_each"]].tolist()
    # Every example is predicted after some epoch: happiness after the first, the rest after two.
    assert values == pytest.approx([1 / 3, 2 / 3, 1], abs=1e-6)
    # UF1 of the second epoch: others has two false positives.
    assert table.loc["uf1", "best_for_all"] == pytest.approx((0 + 2 / 3 + 1) / 3, abs=1e-6)


def test_the_epoch_is_the_same_for_all_folds_and_the_earliest_wins(tmp_path) -> None:
    for fold, epochs in ((1, (HAPPY, FOUR, OTHERS)), (2, (FOUR, HAPPY, OTHERS))):
        run = write_run(
            tmp_path, OTHERS, fold=fold, part=fold, validation=(0.1,) * 3, losses=(1,) * 3
        )
        write_trace(run, epochs, folds=(fold,))
    table = found(tmp_path, parts=2).set_index("metric")
    assert table.loc["uar", ["last", "best_for_all", "epoch_for_all"]].tolist() == pytest.approx(
        [1 / 3, 1 / 2, 1], abs=1e-6
    )


def test_a_trace_of_another_run_is_refused(tmp_path) -> None:
    run = write_run(tmp_path, OTHERS, validation=(0.1,) * 3, losses=(1,) * 3)
    write_trace(run)
    (run / "trace.tsv").write_text((run / "trace.tsv").read_text().replace("surprise", "others"))
    with pytest.raises(UserError, match="not the one that run.json beside it describes"):
        found(tmp_path)
    (run / "trace.tsv").unlink()
    with pytest.raises(UserError, match="is missing"):
        found(tmp_path)


def test_without_traces_there_are_no_rows(tmp_path) -> None:
    write_run(tmp_path, OTHERS)
    summarise(tmp_path)
    path = tmp_path / "experiments/paper/evaluation/best_epochs.tsv"
    assert schemas.read(path, schemas.BEST_EPOCHS).empty
