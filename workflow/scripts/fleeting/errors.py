"""The error that users are meant to read, and the one that excludes what it is about."""


class UserError(Exception):
    """Something in the config, the databases or the results that only the user can fix.

    Its text names the file (and row or key) and the remedy; `fleeting.jobs.main` prints
    it without a traceback and ends the job.
    """


class Unusable(Exception):
    """A frame or picture that cannot be used: `code` is what code decides by, `detail` explains."""

    def __init__(self, code: str, detail: str) -> None:
        """Keep the code and the detail."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def exclusion(self) -> dict[str, str]:
        """The columns of EXCLUDED that say why: the code, its words, the detail."""
        return {"code": self.code, "reason": self.code.replace("_", " "), "detail": self.detail}
