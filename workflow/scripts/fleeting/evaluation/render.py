"""A table for reading: as a page of the report, as Markdown and as LaTeX."""

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
    empty) and a frame whose column names are meant to be read; None and nan are empty cells.
    """

    title: str
    note: str
    parts: Sequence[tuple[str, pd.DataFrame]]


def write(page: Page, table: Path, printed: bool = False) -> None:
    """Write `page` beside its table: .html, and .md and .tex where the paper prints a table."""
    write_text(html(page), table.with_suffix(".html"))
    if printed:
        write_text(markdown(page), table.with_suffix(".md"))
        write_text(latex(page), table.with_suffix(".tex"))


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
    rows = _rows(frame)
    # A rate such as 1e-03 must not break at its hyphen.
    short = [max(len(row[i]) for row in rows) <= SHORT for i in range(len(frame.columns))]
    kinds = [
        ' class="n"' if right else ' class="s"' if small else ""
        for right, small in zip(_right(frame, rows), short, strict=True)
    ]
    head = "".join(
        f"<th{kind}>{escape(str(name))}</th>"
        for kind, name in zip(kinds, frame.columns, strict=True)
    )
    lines = [
        "<tr>"
        + "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    ]
    return (
        f"<div><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(lines)
        + "\n</tbody>\n</table></div>"
    )


def markdown(page: Page) -> str:
    """The page as Markdown, columns aligned in the source as well."""
    blocks = [f"# {page.title}"]
    for heading, frame in page.parts:
        if heading:
            blocks.append(f"## {heading}")
        names = [str(name) for name in frame.columns]
        rows = [[cell.replace("|", "\\|") for cell in row] for row in _rows(frame)]
        right = _right(frame, rows)
        widths = [max(3, len(name), *(len(row[i]) for row in rows)) for i, name in enumerate(names)]

        def line(cells: list[str], widths: list[int] = widths, right: list[bool] = right) -> str:
            padded = [
                cell.rjust(width) if flush else cell.ljust(width)
                for cell, width, flush in zip(cells, widths, right, strict=True)
            ]
            return "| " + " | ".join(padded) + " |"

        rule = [
            "-" * (width - 1) + (":" if flush else "-")
            for width, flush in zip(widths, right, strict=True)
        ]
        blocks.append("\n".join([line(names), line(rule), *map(line, rows)]))
    return "\n\n".join([*blocks, page.note]) + "\n"


def latex(page: Page) -> str:
    """The page as LaTeX: one table per part, no wider than the line, and the note once below."""
    title = page.title.split(": ", 1)[-1]  # LaTeX numbers its tables itself
    blocks = [r"% needs \usepackage{booktabs} and \usepackage{graphicx}"]
    for heading, frame in page.parts:
        rows = _rows(frame)
        columns = "".join("r" if right else "l" for right in _right(frame, rows))
        caption = ". ".join(filter(None, [title[:1].upper() + title[1:], heading])) + "."
        lines = [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex_text(caption)}}}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_row(list(map(str, frame.columns))),
            r"\midrule",
            *map(_latex_row, rows),
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
        ]
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, _latex_text(page.note)]) + "\n"


def _latex_row(cells: list[str]) -> str:
    # A row that starts with a bracket would be read as an option of the line break before it.
    return " & ".join("{}" * cell.startswith("[") + _latex_text(cell) for cell in cells) + r" \\"


def _latex_text(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


def _rows(frame: pd.DataFrame) -> list[list[str]]:
    return [[_cell(value) for value in row] for row in frame.itertuples(index=False)]


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    return " ".join(str(value).split())


def _right(frame: pd.DataFrame, rows: list[list[str]]) -> list[bool]:
    """Whether each column holds numbers only, and at least one."""
    columns = [[row[i] for row in rows if row[i]] for i in range(len(frame.columns))]
    return [bool(cells) and all(map(_NUMBER.fullmatch, cells)) for cells in columns]
