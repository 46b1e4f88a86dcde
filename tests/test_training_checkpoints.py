"""When checkpoints are saved, which of them stay, and the folder that is one process's own."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting.training import checkpoint, interruption
from fleeting.training.checkpoint import Checkpoints
from fleeting.training.interruption import Stopped
from fleeting.training.keeper import Keeper, Past, resume

PAST = Past(0.0, [], ["cpu"], "fp32")


def names(folder: Path) -> list[str]:
    return sorted(path.name.rsplit("_", 2)[0] for path in folder.glob("*.pt"))


def checkpoints(folder: Path, digit: str = "0") -> Checkpoints:
    return Checkpoints(folder, 64 * digit, False)


def keeper(kept: Checkpoints, every: float = 0, past: Past = PAST) -> Keeper:
    one = Keeper(kept, every, interruption.Requests(), past)
    one.begin(1)
    return one


def test_a_state_is_saved_when_the_minutes_have_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("fleeting.training.keeper.time.perf_counter", lambda: now)
    one = keeper(checkpoints(tmp_path), every=60)
    one.keep({"epoch": 1})
    assert names(tmp_path) == []
    now += 60
    one.keep({"epoch": 2})
    one.keep({"epoch": 3})
    assert names(tmp_path) == ["fold0001_epoch0002"]
    assert one.seconds == 60


def test_being_asked_to_stop_saves_the_last_epoch_once(tmp_path: Path) -> None:
    one = keeper(checkpoints(tmp_path), every=60)
    one.check()
    one.keep({"epoch": 1})
    one.keep({"epoch": 2})
    one.requests.note(interruption.SIGNALS[0], None)
    with pytest.raises(Stopped):
        one.check()
    assert names(tmp_path) == ["fold0001_epoch0002"]
    other = keeper(checkpoints(tmp_path / "other"), every=60)
    other.requests.note(interruption.SIGNALS[0], None)
    other.keep({"epoch": 1})
    other.begin(2)
    with pytest.raises(Stopped):
        other.check()
    assert names(tmp_path / "other") == [], "nothing of fold 2 is done, and fold 1 is finished"


def test_a_finished_fold_replaces_its_checkpoints(tmp_path: Path) -> None:
    kept = checkpoints(tmp_path)
    one = keeper(kept)
    for epoch in (1, 2, 3):
        one.keep({"epoch": epoch, "network": {}})
    assert names(tmp_path) == ["fold0001_epoch0002", "fold0001_epoch0003"]
    one.finish({"history": [1, 2, 3], "network": {"w": torch.ones(2)}})
    assert names(tmp_path) == ["fold0001_done"]
    one.begin(2)
    one.keep({"epoch": 1})
    assert names(tmp_path) == ["fold0001_done", "fold0002_epoch0001"]
    found = resume(kept, [1, 2, 3], "a GPU", "fp32")
    assert found.finished[1]["history"] == [1, 2, 3]
    assert "network" not in found.finished[1], "models are read when they are written"
    assert found.current is not None
    assert found.current["epoch"] == 1
    assert found.past.resumed == [[2, 1]]
    assert found.past.devices == ["cpu", "a GPU"]
    assert found.past.seconds > 0


def test_states_of_another_precision_are_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They may be further than what is saved next, and would have been kept instead of that."""
    caplog.set_level("INFO")
    kept = checkpoints(tmp_path)
    before = keeper(kept, past=Past(0.0, [], ["a GPU"], "bf16"))
    before.finish({"history": []})
    before.begin(2)
    before.keep({"epoch": 80})
    found = resume(kept, [1, 2], "an older GPU", "fp32")
    assert (found.finished, found.current) == ({}, None)
    assert found.past == Past(0.0, [], ["an older GPU"], "fp32")
    assert "computed in bf16 and this device takes fp32" in caplog.text
    assert names(tmp_path) == []


def test_checkpoints_of_other_settings_stay_until_the_first_of_these(tmp_path: Path) -> None:
    other = checkpoints(tmp_path, "1")
    other.save(1, None, {})
    other.save(2, 9, {"epoch": 9})
    kept = checkpoints(tmp_path)
    kept.examine()
    assert kept.finished(1) is None
    assert kept.in_progress(2) is None
    assert not kept.started()
    assert len(names(tmp_path)) == 2
    kept.save(1, 1, {"epoch": 1})
    assert names(tmp_path) == ["fold0001_epoch0001"]
    assert kept.started()


@pytest.mark.parametrize("left", ["nothing", "moved aside"])
def test_a_shared_file_systems_leftovers_do_not_fail_a_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    """NFS gives a file that is removed while it is open another name, until it is closed."""
    folder = tmp_path / "run"
    opened: list[Any] = []
    unlink, rmdir = Path.unlink, Path.rmdir

    def silly(path: Path, missing_ok: bool = False) -> None:
        if opened and not opened[0].closed:
            path.rename(path.with_name(".nfs0001"))
        else:
            unlink(path, missing_ok)

    def close_first(path: Path) -> None:
        assert opened[0].closed, "NFS would refuse: the lock is open"
        (path / ".nfs0001").unlink()
        rmdir(path)

    locked = checkpoint._locked

    def remember(place: Path) -> Any:
        lock, waited = locked(place)
        opened.append(lock)
        return lock, waited

    monkeypatch.setattr(checkpoint, "_locked", remember)
    monkeypatch.setattr(Path, "unlink", silly)
    monkeypatch.setattr(Path, "rmdir", close_first)
    with checkpoint.of_job(folder, 64 * "0"):
        if left == "moved aside":
            (folder / checkpoint.UNUSABLE).mkdir()
    assert folder.exists() is (left == "moved aside")


def test_a_folder_that_goes_while_it_is_opened_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a process that is done with the same run just now."""
    folder = tmp_path / "run"
    make = Path.mkdir
    gone: list[Path] = []

    def lose_it_once(path: Path, *arguments: Any, **options: Any) -> None:
        make(path, *arguments, **options)
        if not gone:
            gone.append(path)
            path.rmdir()

    monkeypatch.setattr(Path, "mkdir", lose_it_once)
    with checkpoint.of_job(folder, 64 * "0"):
        assert gone == [folder]
        assert (folder / checkpoint.LOCK).is_file()
    assert not folder.exists()
