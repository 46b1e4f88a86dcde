"""Run one job of the pipeline: `job.py MODULE --name value...` calls `fleeting.MODULE.run`.

The options are the keyword arguments of that function; its annotations say how each is read: paths,
names, numbers, lists of them, and blocks of the config as JSON.
"""

import fleeting.startup  # noqa: F401  (first: it sets what other imports read)
from fleeting.jobs import main

if __name__ == "__main__":
    main()
