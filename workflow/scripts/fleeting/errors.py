"""The one error that users are meant to read."""


class UserError(Exception):
    """Something in the config, the databases or the results that only the user can fix.

    Its text names the file (and row or key) and the remedy; `fleeting.jobs.guarded` prints
    it without a traceback and ends the job.
    """
