"""The error that users read, and the error that excludes a frame or picture."""


class UserError(Exception):
    """Something in the config, the databases or the results that only the user can fix.

    Its text names the file (and row or key) and the remedy; `fleeting.jobs.main` prints
    it without a traceback and ends the job.
    """


def exclusion(code: str, detail: str) -> dict[str, str]:
    """The columns of EXCLUDED that say why something is left out."""
    return {"code": code, "reason": code.replace("_", " "), "detail": detail}


class Unusable(Exception):
    """A frame or picture that cannot be used: `code` is for code, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep the code and the detail."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def exclusion(self) -> dict[str, str]:
        """The columns of EXCLUDED that say why."""
        return exclusion(self.code, self.detail)
