"""Lock files: the kernel releases a lock however its holder dies, so none is ever left behind."""

import fcntl
from io import FileIO
from pathlib import Path


def acquire(path: Path) -> FileIO | None:
    """Lock a file, which is made if it is missing, until the result is closed.

    These are POSIX locks: nodes of a cluster see each other's on a shared file system, and a forked
    child does not inherit them. Within one process they exclude nothing.

    Returns:
        The open file; None if another process holds the lock.

    Raises:
        OSError: the file cannot be written to, or its file system has no locks.
    """
    file = path.open("ab", buffering=0)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        # POSIX allows either error if another process holds the lock.
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return file
