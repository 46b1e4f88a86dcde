"""A table for reading: as a page of the report, as Markdown, LaTeX and reStructuredText."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from fleeting.files import write_text

_NUMBER = re.compile(r"[+-]?\d[\d ]*(\.\d+)?%?")
_LATEX = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "≤": r"$\le$",
    "²": "$^2$",
    **{character: "\\" + character for character in "&%$#_{}"},
}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1a1a; margin: 1.5rem; }
p { max-width: 60rem; }
div { overflow: auto; max-height: 85vh; border: 1px solid #ccc; width: fit-content;
  max-width: 100%; margin-bottom: 1.5rem; }
table { border-collapse: separate; border-spacing: 0; }
th, td { padding: .25rem .7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid #ddd; max-width: 34rem; overflow-wrap: break-word; }
th { position: sticky; top: 0; background: #eef1f4; border-bottom: 2px solid #888; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.s { white-space: nowrap; }
tbody tr:nth-child(even) { background: #f8f9fa; }
"""
#: A column whose cells have at most this many characters is not broken into lines.
SHORT = 12


@dataclass(frozen=True)
class Page:
    """What readers get of a table.

    `note` says in one paragraph how the numbers were obtained. Each part is a heading (maybe
    empty) and a frame whose column names are meant to be read; None and NaN are empty cells.
    """

    title: str
    note: str
    parts: Sequence[tuple[str, pd.DataFrame]]


def write(page: Page, table: Path, formats: Sequence[str]) -> None:
    """Write `page` beside its table, in each of the formats `html`, `md`, `tex` and `rst`."""
    writers = {"html": html, "md": markdown, "tex": latex, "rst": restructured_text}
    for name in formats:
        write_text(writers[name](page), table.with_suffix(f".{name}"))


def count_by(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """How often each combination of `keys` occurs, most frequent first."""
    counts = frame.groupby(keys).size().reset_index(name="count")
    return counts.sort_values("count", ascending=False, kind="stable")


def html(page: Page) -> str:
    """A whole page that needs nothing else; every cell is escaped."""
    body = [f"<h1>{escape(page.title)}</h1>", f"<p>{escape(page.note)}</p>"]
    for heading, frame in page.parts:
        if heading:
            body.append(f"<h2>{escape(heading)}</h2>")
        body.append(_html_table(frame) if len(frame) else "<p>No rows.</p>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _html_table(frame: pd.DataFrame) -> str:
    (names, *rows), numbers = _text(frame)
    # A rate such as 1e-03 must not break at its hyphen.
    short = [all(len(cell) <= SHORT for cell in column) for column in zip(*rows, strict=True)]
    kinds = [
        ' class="n"' if number else ' class="s"' if small else ""
        for number, small in zip(numbers, short, strict=True)
    ]

    def line(tag: str, cells: list[str]) -> str:
        marked = zip(kinds, cells, strict=True)
        inside = "".join(f"<{tag}{kind}>{escape(cell)}</{tag}>" for kind, cell in marked)
        return f"<tr>{inside}</tr>"

    lines = "\n".join(line("td", row) for row in rows)
    return (
        f"<div><table>\n<thead>{line('th', names)}</thead>\n<tbody>\n"
        f"{lines}\n</tbody>\n</table></div>"
    )


def markdown(page: Page) -> str:
    """The page as Markdown, columns aligned in the source as well."""
    blocks = [f"# {page.title}"]
    for heading, frame in page.parts:
        if heading:
            blocks.append(f"## {heading}")
        lines, numbers = _text(frame)
        lines = [[cell.replace("|", "\\|") for cell in line] for line in lines]
        widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
        aligned = [
            [
                cell.rjust(width) if number else cell.ljust(width)
                for cell, width, number in zip(line, widths, numbers, strict=True)
            ]
            for line in lines
        ]
        rule = [
            "-" * (width - 1) + (":" if number else "-")
            for width, number in zip(widths, numbers, strict=True)
        ]
        aligned.insert(1, rule)
        blocks.append("\n".join(f"| {' | '.join(line)} |" for line in aligned))
    return "\n\n".join([*blocks, page.note]) + "\n"


def latex(page: Page) -> str:
    """The page as LaTeX: one table per part, no wider than the line, and the note once below."""
    title = page.title.split(": ", 1)[-1]  # LaTeX numbers its tables itself
    blocks = [r"% needs \usepackage{booktabs} and \usepackage{graphicx}"]
    for heading, frame in page.parts:
        (names, *rows), numbers = _text(frame)
        columns = "".join("r" if number else "l" for number in numbers)
        caption = ". ".join(filter(None, [title[:1].upper() + title[1:], heading])) + "."
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex_text(caption)}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_row(names),
            r"\midrule",
            *map(_latex_row, rows),
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, _latex_text(page.note)]) + "\n"


def restructured_text(page: Page) -> str:
    """The page's tables and note without its title, for the first page of the report."""
    blocks = []
    for heading, frame in page.parts:
        if heading:
            blocks.append(f"**{_rst_text(heading)}**")
        lines, _ = _text(frame)
        rows = [
            "\n".join(
                f"   {'*' if not place else ' '} - {_rst_text(cell)}".rstrip()
                for place, cell in enumerate(line)
            )
            for line in lines
        ]
        blocks.append("\n".join([".. list-table::", "   :header-rows: 1", "", *rows]))
    return "\n\n".join([*blocks, _rst_text(page.note)]) + "\n"


def _rst_text(text: str) -> str:
    return re.sub(r"([\\*`_|])", r"\\\1", text)


def _latex_row(cells: list[str]) -> str:
    # A row that starts with a bracket would be read as an option of the line break before it.
    return " & ".join("{}" * cell.startswith("[") + _latex_text(cell) for cell in cells) + r" \\"


def _latex_text(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _text(frame: pd.DataFrame) -> tuple[list[list[str]], list[bool]]:
    """The header and the rows as text, and which columns hold numbers only, and at least one."""
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    columns = [[row[i] for row in rows if row[i]] for i in range(len(frame.columns))]
    numbers = [bool(cells) and all(map(_NUMBER.fullmatch, cells)) for cells in columns]
    return [list(map(str, frame.columns)), *rows], numbers


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return " ".join(str(value).split())
