"""The findings as text: section by section, what will stop the run at the end."""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from fleeting.doctor.findings import FINE, NOTE, PROBLEM, Finding, Section

WIDTH = 100


def show(sections: Iterable[Section]) -> int:
    """Print the sections as they come, then the problems and the counts.

    Returns:
        The number of problems.
    """
    problems: list[Finding] = []
    counter: Counter[str] = Counter()
    for heading, findings in sections:
        print(heading, flush=True)
        before = len(problems)
        for finding in findings:
            counter[finding.level] += 1
            if finding.level == PROBLEM:
                problems.append(finding)
            else:
                print(*_lines(finding.level, finding), sep="\n", flush=True)
        if found := len(problems) - before:
            print(f"  {_number(found, PROBLEM)}: see the end")
        print()
    for number, finding in enumerate(problems, start=1):
        print(*_lines(f"{PROBLEM} {number}", finding, finding.subject), "", sep="\n")
    count = len(problems)
    numbers = f"{counter[FINE]} fine, {_number(counter[NOTE], NOTE)}, {_number(count, PROBLEM)}"
    print(f"{numbers}: {'fix these before a run' if count else 'nothing will stop a run'}.")
    return count


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")


def _lines(label: str, finding: Finding, subject: str = "") -> Iterator[str]:
    """The finding, wrapped, and its remedy below it."""
    named = not subject or finding.text.startswith(f"{subject}: ")
    text = finding.text if named else f"{subject}: {finding.text}"
    first, *others = text.splitlines()
    indent = " " * (len(label) + 4)
    yield _wrapped(first, f"  {label}  ", indent)
    for line in others:
        yield _wrapped(line.strip(), f"{indent}- ", f"{indent}  ")
    if finding.remedy:
        yield _wrapped(finding.remedy.strip(), f"{indent}-> ", f"{indent}   ")


def _wrapped(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
