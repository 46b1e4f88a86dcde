"""When checkpoints are saved, which of them stay, and the folder that is one process's own."""

from pathlib import Path
from typing import Any

import pytest

from fleeting.training import checkpoint, interruption
from fleeting.training.keeper import Keeper, Past, resume


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.pt")}


def test_a_state_is_saved_when_the_minutes_have_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("fleeting.training.keeper.time.perf_counter", lambda: now)
    kept = checkpoint.Checkpoints(tmp_path, 64 * "0", False)
    past = Past(0.0, [], ["cpu"], "fp32")
    one = Keeper(kept, every=60, requests=interruption.Requests(), past=past, saved=now)
    assert not one.due()
    now += 60
    assert one.due()
    one.save({"epoch": 2, "step": 0})
    assert not one.due()
    now += 60
    assert one.due()


def test_a_state_of_another_precision_is_removed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be further than what is saved next, and would have been kept instead of that."""
    caplog.set_level("INFO")
    kept = checkpoint.Checkpoints(tmp_path, 64 * "0", False)
    past = Past(0.0, [], ["a GPU"], "bf16")
    before = Keeper(kept, every=0, requests=interruption.Requests(), past=past)
    for epoch in (60, 80):
        before.save({"epoch": epoch, "step": 0})
    state, past = resume(kept, "an older GPU", "fp32")
    assert state is None
    assert past == Past(0.0, [], ["an older GPU"], "fp32")
    assert "trained in bf16 and this device takes fp32" in caplog.text
    Keeper(kept, every=0, requests=interruption.Requests(), past=past).save({"epoch": 5, "step": 0})
    state, past = resume(kept, "an older GPU", "fp32")
    assert state is not None
    assert past.resumed_from_epochs == [5]


def test_checkpoints_of_other_settings_stay_until_the_first_of_these(tmp_path: Path) -> None:
    checkpoint.Checkpoints(tmp_path, 64 * "1", False).save({"epoch": 9, "step": 0})
    kept = checkpoint.Checkpoints(tmp_path, 64 * "0", False)
    assert kept.load() is None
    assert len(names(tmp_path)) == 1
    kept.save({"epoch": 1, "step": 0})
    assert [name[:9] for name in names(tmp_path)] == ["epoch0001"]


@pytest.mark.parametrize("left", ["nothing", "set aside"])
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
    with checkpoint.of_run(folder, 64 * "0"):
        if left == "set aside":
            (folder / checkpoint.SET_ASIDE).mkdir()
    assert folder.exists() is (left == "set aside")


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
    with checkpoint.of_run(folder, 64 * "0"):
        assert gone == [folder]
        assert (folder / checkpoint.LOCK).is_file()
    assert not folder.exists()


def test_being_asked_to_stop_just_after_an_epoch_keeps_no_twin(tmp_path: Path) -> None:
    kept = checkpoint.Checkpoints(tmp_path, "0" * 64, False)
    for seconds, epoch in enumerate((1, 2, 2, 3, 3)):
        kept.save({"epoch": epoch, "step": 0, "seconds": seconds})
    assert sorted(name[:9] for name in names(tmp_path)) == ["epoch0002", "epoch0003"]
    state = kept.load()
    assert state is not None
    assert state["seconds"] == 4
