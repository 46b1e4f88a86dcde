"""Checkpoint files: when they are saved, which of them stay, and which are ever used."""

import errno
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fleeting import code_in_use
from fleeting.training import checkpoint, interruption, locks
from fleeting.training.checkpoint import Checkpoints, Progress
from fleeting.training.interruption import Stopped

KEY, OTHER_KEY = 64 * "0", 64 * "1"


def names(folder: Path) -> list[str]:
    return sorted(path.name.rsplit("_", 2)[0] for path in folder.glob("*.pt"))


def begun(folder: Path, every: float = 0, folds: tuple[int, ...] = (1, 2, 3)) -> Progress:
    """The progress of a job that begins with its first fold."""
    request = interruption.StopRequest()
    progress = Progress(Checkpoints(folder, KEY), folds, "cpu", every, request)
    progress.begin_fold(folds[0])
    return progress


def test_a_state_is_saved_when_the_time_has_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("fleeting.training.checkpoint.time.perf_counter", lambda: now)
    progress = begun(tmp_path, every=60)
    progress.end_epoch({"epoch": 1})
    assert names(tmp_path) == []
    now += 60
    progress.end_epoch({"epoch": 2})
    progress.end_epoch({"epoch": 3})
    assert names(tmp_path) == ["fold0001_epoch0000002"]
    assert progress.seconds == 60


def test_being_asked_to_stop_saves_the_last_epoch(tmp_path: Path) -> None:
    progress = begun(tmp_path, every=60)
    progress.stop_if_asked()
    progress.end_epoch({"epoch": 1})
    progress.end_epoch({"epoch": 2})
    progress.request.received = True
    with pytest.raises(Stopped):
        progress.stop_if_asked()
    assert names(tmp_path) == ["fold0001_epoch0000002"]


def test_being_asked_to_stop_at_the_start_of_a_fold_saves_nothing(tmp_path: Path) -> None:
    """What is left of the fold before, which is finished, is not taken for the next one's."""
    progress = begun(tmp_path, every=60)
    progress.end_epoch({"epoch": 1})
    progress.begin_fold(2)
    progress.request.received = True
    with pytest.raises(Stopped):
        progress.stop_if_asked()
    assert names(tmp_path) == []


def test_a_fold_has_two_checkpoints_until_it_is_finished(tmp_path: Path) -> None:
    progress = begun(tmp_path)
    for epoch in (9, 10, 11):
        progress.end_epoch({"epoch": epoch})
    assert names(tmp_path) == ["fold0001_epoch0000010", "fold0001_epoch0000011"]
    progress.finish_fold({"history": [1, 2, 3], "network": {"w": torch.ones(2)}})
    assert names(tmp_path) == ["fold0001_done"]
    progress.begin_fold(2)
    progress.end_epoch({"epoch": 1})
    assert names(tmp_path) == ["fold0001_done", "fold0002_epoch0000001"]
    request = interruption.StopRequest()
    resumed = Progress(Checkpoints(tmp_path, KEY), [1, 2, 3], "a GPU", 0, request)
    assert resumed.results[1]["history"] == [1, 2, 3]
    assert "network" not in resumed.results[1], "models are read when they are written"
    assert resumed.current is not None
    assert resumed.current["epoch"] == 1
    assert (resumed.resumed, resumed.devices) == ([[2, 1]], ["cpu", "a GPU"])
    assert resumed.seconds > progress.seconds - 1


def test_checkpoints_of_another_job_are_not_used_and_stay_until_the_first_of_this(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    other = Checkpoints(tmp_path, OTHER_KEY)
    other.save(1, None, {})
    other.save(2, 9, {"epoch": 9})
    progress = begun(tmp_path)
    assert (progress.results, progress.current, progress.resumed) == ({}, None, [])
    assert not progress.checkpoints.exist()
    assert "training starts from the beginning" in caplog.text
    assert len(names(tmp_path)) == 2
    progress.end_epoch({"epoch": 1})
    assert names(tmp_path) == ["fold0001_epoch0000001"]
    assert progress.checkpoints.exist()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-100],
        lambda content: content[:-100] + bytes(100),
    ],
    ids=["empty", "truncated", "zeroed"],
)
def test_a_corrupt_checkpoint_falls_back_to_the_one_before(
    tmp_path: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    saved = Checkpoints(tmp_path, KEY)
    for epoch in (1, 2):
        saved.save(1, epoch, {"epoch": epoch})
    last = max(tmp_path.glob("*.pt"))
    last.write_bytes(damage(last.read_bytes()))
    assert saved.in_progress(1) == {"epoch": 1}
    assert f"{last} is corrupt" in caplog.text
    assert names(tmp_path) == ["fold0001_epoch0000001"]


def test_a_full_disk_is_said_and_the_checkpoint_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`torch.save` to a full disk raises an error of its archive, which does not say so."""

    def refuse(path: Path, content: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    saved = Checkpoints(tmp_path, KEY)
    saved.save(1, 1, {"epoch": 1})
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OSError, match="No space left") as raised:
        saved.save(1, 2, {"epoch": 2})
    assert raised.value.errno == errno.ENOSPC
    assert len(list(tmp_path.iterdir())) == 1
    assert saved.in_progress(1) == {"epoch": 1}


class Malicious:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_file_with_another_name_or_with_code_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = Checkpoints(tmp_path, KEY)
    saved.save(1, None, {"history": []})
    done = next(tmp_path.glob("*.pt"))
    (tmp_path / done.name.replace("fold0001", "fold0002")).write_bytes(done.read_bytes())
    assert saved.finished(2) is None
    trap = tmp_path / "trap"
    monkeypatch.setattr(checkpoint, "as_bytes", lambda _: pickle.dumps(Malicious(trap), protocol=2))
    saved.save(3, None, {})
    assert saved.finished(3) is None
    assert not trap.exists()
    assert saved.finished(1) == {"history": []}


def test_the_key_is_of_the_facts_and_of_all_code_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_in_use.digests()
    assert {"fleeting.training.checkpoint", "fleeting.files", "fleeting"} <= code.keys()
    key = checkpoint.key({"lr": "1e-03"})
    assert key == checkpoint.key({"lr": "1e-03"})
    assert key != checkpoint.key({"lr": "1e-04"})
    edited = tmp_path / "locks.py"
    edited.write_text(Path(locks.__file__).read_text() + "\n")
    monkeypatch.setattr(locks, "__file__", str(edited))
    assert key != checkpoint.key({"lr": "1e-03"})


def test_a_file_system_without_locks_is_said_and_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(locks, "acquire", refuse)
    number = errno.ENOLCK
    with checkpoint.exclusive(tmp_path / "run") as waited:
        assert not waited
    assert "no locks on this file system" in caplog.text
    number = errno.ENOSPC
    with pytest.raises(OSError, match="refused"), checkpoint.exclusive(tmp_path / "run"):
        pass


def test_a_disk_that_cannot_be_read_costs_no_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path).end_epoch({"epoch": 1})

    def fail(path: Path) -> bytes:
        raise OSError(errno.ESTALE, "Stale file handle")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fail)
        with pytest.raises(OSError, match="Stale"):
            Checkpoints(tmp_path, KEY).in_progress(1)
    assert names(tmp_path) == ["fold0001_epoch0000001"]
