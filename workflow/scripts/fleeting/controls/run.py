"""`make controls`: what this pipeline finds in synthetic databases whose truth is known."""

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from fleeting import tsv
from fleeting.controls import checks, dose, draw_dose, projects
from fleeting.drawing import style
from fleeting.errors import UserError

RESULTS = Path("results") / "controls"
#: The doses: shares of the full expression at the apex.
INTENSITIES = (0.15, 0.25, 0.35, 0.45, 0.6, 0.8, 1.0)


def run(*, quick: bool, cores: int) -> None:
    """Run all controls, print what each measured, and write it below results/controls.

    Args:
        quick: only the main one of the negative controls, and no doses.
        cores: of this machine to use.

    Raises:
        UserError: a check failed.
    """
    permuted = projects.PERMUTED[:1] if quick else projects.PERMUTED
    found = [*positive(cores), leak(cores), *negative(cores, permuted)]
    tsv.write(pd.DataFrame([check.row() for check in found]), RESULTS / "checks.tsv", checks.CHECKS)
    if not quick:
        responses(cores)
    failed = [check.of for check in found if not check.passed]
    if failed:
        raise UserError(f"{len(failed)} of {len(found)} controls failed: {'; '.join(failed)}")
    print(f"All {len(found)} controls passed; {RESULTS} has the tables and figures.")


def positive(cores: int) -> list[checks.Check]:
    """The full expression is learnt, from pairs and from the pictures whose labels are permuted."""
    project, names = projects.expression(), ["pairs_apart", "pictures_apart"]
    _made(project, cores, names)
    return [_said(checks.learnt(name, project.counts(name))) for name in names]


def leak(cores: int) -> checks.Check:
    """Subjects on both sides of a split are worth something where they tell the class."""
    project = projects.leak()
    _made(project, cores, ["apart", "mixed"])
    return _said(checks.leaks(project.counts("apart"), project.counts("mixed")))


def negative(cores: int, permuted: Sequence[tuple[str, str]]) -> list[checks.Check]:
    """Permuted labels are not learnt; see `projects.permuted`."""
    project, names = projects.permuted(permuted)
    _made(project, cores, [name for own in names.values() for name in own])
    return [
        _said(checks.not_learnt(base, unit, [project.counts(name) for name in own]))
        for (unit, base), own in names.items()
    ]


def responses(cores: int) -> None:
    """How far a face must move: a table, the thresholds and a figure."""
    made = projects.doses(INTENSITIES)
    for project in made.values():
        _made(project, cores, list(project.config["experiments"]))
    found = dose.responses(made)
    tsv.write(dose.response_table(found), RESULTS / "dose.tsv", dose.RESPONSES)
    tsv.write(dose.threshold_table(found), RESULTS / "thresholds.tsv", dose.THRESHOLDS)
    style.save(draw_dose.draw(found), RESULTS / "dose.svg", RESULTS / "dose.png")
    for one in found:
        at = f"{one.threshold.value:.2f} [{one.threshold.low:.2f}, {one.threshold.high:.2f}]"
        outside = one.threshold.outside
        where = f"{outside} the doses (nearest: {at} pixels)" if outside else f"{at} pixels"
        print(f"threshold of {one.learner.experiment}: {where}")


def _made(project: projects.Project, cores: int, experiments: Sequence[str]) -> None:
    start = time.monotonic()
    project.run(cores, experiments)
    print(f"{project.results}: {(time.monotonic() - start) / 60:.1f} minutes", flush=True)


def _said(check: checks.Check) -> checks.Check:
    print(check.text, flush=True)
    return check
