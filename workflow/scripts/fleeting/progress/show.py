"""`make progress`: watch a run from another terminal, while it computes here or elsewhere."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from fleeting.config.loading import read
from fleeting.layout import Config, Job
from fleeting.progress.state import (
    Experiment,
    Heartbeat,
    Stage,
    duration,
    experiment,
    later_stages,
    stages,
)

#: Seconds between two looks at the files.
INTERVAL = 2.0
#: The most running and failed jobs that are listed; the others are counted.
LISTED = 20


def run(*, config: Path) -> None:
    """Show the progress until Ctrl-C; once, if the output is not a terminal.

    Args:
        config: the config file of the run.
    """
    complete = read(config)
    results = Path(complete["results"])
    console = Console()
    if not console.is_terminal:
        console.print(view(complete, results))
        return
    try:
        with Live(view(complete, results), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(INTERVAL)
                live.update(view(complete, results), refresh=True)
    except KeyboardInterrupt:
        return


def view(config: Config, results: Path) -> RenderableType:
    """Everything that is shown, as of now."""
    experiments = [experiment(config, results, name) for name in config["experiments"]]
    parts: list[RenderableType] = [
        _stages(stages(config, results)),
        _experiments(experiments),
        _stages(later_stages(config, results)),
    ]
    beats = [beat for found in experiments for beat in found.heartbeats]
    if beats:
        parts.append(_jobs(sorted(beats, key=lambda beat: beat.dead)))
    failed = {job: why for found in experiments for job, why in found.failed.items()}
    if failed:
        parts.append(_failed(failed))
    return Group(*(line for part in parts for line in (part, "")))


def _table(title: str, columns: Sequence[str], right: Sequence[str] = ()) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left")
    return table


def _bar(done: int, expected: int | None) -> ProgressBar:
    return ProgressBar(total=expected or 1, completed=done if expected else 0, width=20)


def _stages(found: Iterable[Stage]) -> Table:
    table = _table("", ["stage", "done", ""], right=["done"])
    for stage in found:
        expected = "?" if stage.expected is None else str(stage.expected)
        table.add_row(stage.name, f"{stage.done} of {expected}", _bar(stage.done, stage.expected))
    return table


def _experiments(found: Iterable[Experiment]) -> Table:
    columns = ["experiment", "runs done", "", "running", "dead", "failed", "time left"]
    table = _table("training", columns, right=columns[1:2] + columns[3:])
    for one in found:
        dead = sum(beat.dead for beat in one.heartbeats)
        counts = (len(one.heartbeats) - dead, dead, len(one.failed))
        table.add_row(
            Text(one.name),
            f"{one.done} of {one.runs}",
            _bar(one.done, one.runs),
            *map(str, counts),
            duration(one.seconds_left),
        )
    return table


def _jobs(beats: Sequence[Heartbeat]) -> Table:
    numbers = ["fold", "epoch", "train loss", "validation loss", "images/s"]
    table = _table("jobs", ["job", *numbers, "on", "state"], right=numbers)
    for beat in beats[:LISTED]:
        values = beat.values
        state = Text("training", "green")
        if beat.dead:
            state = Text(f"dead: last sign {duration(beat.age)} ago", "red")
        table.add_row(
            Text(_job_name(beat.job)),
            f"{values['folds_done'] + 1} of {values['folds']}",
            f"{values['epoch']} of {values['epochs']}",
            _number(values["train_loss"], ".4f"),
            _number(values["validation_loss"], ".4f"),
            _number(values["images_per_second"], ".0f"),
            Text(f"{values['device']}, {values['host']}"),
            state,
        )
    notes = [f"and {len(beats) - LISTED} more"] if len(beats) > LISTED else []
    if any(beat.dead for beat in beats):
        notes.append("a dead job resumes from its last checkpoint when Snakemake runs again")
    table.caption = "; ".join(notes) or None
    return table


def _failed(failed: dict[Job, str]) -> Table:
    table = _table("failed", ["job", "reason"])
    for job, why in list(failed.items())[:LISTED]:
        table.add_row(Text(_job_name(job)), Text(why))
    if len(failed) > LISTED:
        table.caption = f"and {len(failed) - LISTED} more"
    return table


def _job_name(job: Job) -> str:
    return f"{job.experiment}: {job.model} at {job.lr}, repeat {job.repeat}, part {job.part}"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
