"""Anyone's predictions: from a table, from a log with two lists a subject, from a confusion matrix.

Nothing is known of such a file but its content, so it is tried as each of the three.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleeting.databases import cells, workbook
from fleeting.databases.header import normalised_heading
from fleeting.databases.sheets import Sheet, cell_at
from fleeting.errors import UserError

#: The headings that a column may have, in the form that `normalised_heading` returns.
HEADINGS = {
    "label": (
        *("label", "labels", "true", "truth", "truelabel", "groundtruth", "gt", "ytrue"),
        *("target", "targets", "actual", "emotion"),
    ),
    "predicted": ("predicted", "prediction", "predictions", "pred", "preds", "ypred", "output"),
    "subject": ("subject", "subjects", "subjectid", "sub", "participant", "person", "fold"),
    "database": ("database", "dataset", "db", "corpus"),
}
REQUIRED = ("label", "predicted")

_WHOLE = re.compile(r"^(-?\d+)\.0+$")
_LIST = re.compile(r"\[[^\[\]]*\]")
#: Words before a list that say that it holds the labels, or the predictions.
_LABELS = re.compile(r"truth|true|label|target|actual|\bgt\b", re.IGNORECASE)
_PREDICTIONS = re.compile(r"pred|output|result", re.IGNORECASE)


@dataclass(frozen=True)
class Predictions:
    """One entry a prediction; `subject` and `database` are empty where the file does not say.

    `incomplete` has the lines of a table that lack the label or the prediction.
    """

    label: list[str] = field(default_factory=list)
    predicted: list[str] = field(default_factory=list)
    subject: list[str] = field(default_factory=list)
    database: list[str] = field(default_factory=list)
    incomplete: list[int] = field(default_factory=list)

    def add(self, label: str, predicted: str, subject: str = "", database: str = "") -> None:
        """Add a prediction. A class 1.0 is the class 1, which pandas may write so."""
        label, predicted = (_WHOLE.sub(r"\1", value) for value in (label, predicted))
        for column, value in zip(
            (self.label, self.predicted, self.subject, self.database),
            (label, predicted, subject, database),
            strict=True,
        ):
            column.append(value)


def read(path: Path, columns: Mapping[str, str]) -> Predictions:
    """Read a file of predictions.

    Args:
        path: a CSV, TSV or Excel table with a line a prediction; a text with a list of labels and a
            list of predictions for each subject; or a table that is a confusion matrix, true
            classes in rows.
        columns: headings of a table's columns by `label`, `predicted`, `subject` and `database`,
            where they are not the usual ones.

    Raises:
        UserError: the file is none of these.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; name one with FILE=predictions.csv")
    if unknown := sorted(columns.keys() - HEADINGS.keys()):
        raise UserError(
            f"COLUMNS: no column is called {unknown[0]!r}; known: {', '.join(HEADINGS)}"
        )
    text = _text(path)
    if text is not None and not columns and (found := from_lists(text)):
        return found
    book = workbook.read(path)
    for sheet in book.sheets:
        if found := from_table(sheet, columns) or from_matrix(sheet):
            return found
    raise UserError(
        f"{path}: neither a table with a column of labels and one of predictions, nor two lists a "
        "subject, nor a confusion matrix. Name a table's columns with COLUMNS, for example "
        'COLUMNS="label=truth predicted=output subject=person"'
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None  # what is wrong with it, the reader of tables says


def from_table(sheet: Sheet, columns: Mapping[str, str]) -> Predictions | None:
    """The lines below the first row that has a heading for labels and one for predictions.

    A line that lacks one of both is not a prediction.
    """
    names = {
        column: (normalised_heading(columns[column]),) if column in columns else usual
        for column, usual in HEADINGS.items()
    }
    for index, (_, row) in enumerate(sheet.rows):
        headings = [normalised_heading(cell) for cell in row]
        found = {
            column: next((headings.index(name) for name in usual if name in headings), None)
            for column, usual in names.items()
        }
        if all(found[column] is not None for column in (*REQUIRED, *columns)):
            return _below(sheet, index, found)
    return None


def _below(sheet: Sheet, header: int, columns: Mapping[str, int | None]) -> Predictions | None:
    predictions = Predictions()
    for line, row in sheet.rows[header + 1 :]:
        values = {
            column: "" if place is None else cell_at(row, place)
            for column, place in columns.items()
        }
        if values["label"] and values["predicted"]:
            predictions.add(**values)
        elif any(row):
            predictions.incomplete.append(line)
    return predictions if predictions.label else None


def from_matrix(sheet: Sheet) -> Predictions | None:
    """A square of counts, true classes in rows, with or without the classes' names around it."""
    rows = [[cell for cell in row if cell] for _, row in sheet.rows]
    names: list[str] = []
    if rows and not all(_is_count(cell) for cell in rows[0]):
        names, rows = rows[0], rows[1:]
    if rows and all(row and not _is_count(row[0]) for row in rows):
        names = [row[0] for row in rows]
        rows = [row[1:] for row in rows]
    if len(rows) < 2 or any(len(row) != len(rows) for row in rows):
        return None
    if not all(_is_count(cell) for row in rows for cell in row):
        return None
    if len(names) != len(rows):
        names = [str(number) for number in range(1, len(rows) + 1)]
    predictions = Predictions()
    for label, row in zip(names, rows, strict=True):
        for predicted, cell in zip(names, row, strict=True):
            for _ in range(_count(cell)):
                predictions.add(label, predicted)
    return predictions


def _is_count(cell: str) -> bool:
    return cells.integer(cell) is not None


def _count(cell: str) -> int:
    return cells.integer(cell) or 0


def from_lists(text: str) -> Predictions | None:
    """Two lists of equal length for each subject, in either order, as many training scripts log.

    The words before a list say which it is. The subject is the last word before both that is no
    such word.
    """
    predictions = Predictions()
    for subject, label, predicted in _pairs(text):
        for one, other in zip(label, predicted, strict=True):
            predictions.add(one, other, subject)
    return predictions if predictions.label else None


def _pairs(text: str) -> Iterator[tuple[str, list[str], list[str]]]:
    end, subject, number = 0, "", 0
    waiting: dict[str, list[str]] = {}
    for match in _LIST.finditer(text):
        before, end = text[end : match.start()], match.end()
        values = _values(match[0])
        last = before.splitlines()[-1] if before.strip() else ""
        kind = _kind(last) or _kind(before)
        if values is None or kind is None:
            continue
        if not waiting:
            subject = _subject(before) or subject
        waiting[kind] = values
        if len(waiting) == 2:
            label, predicted = waiting["label"], waiting["predicted"]
            number += 1
            if len(label) != len(predicted):
                raise UserError(
                    f"the lists of subject {subject or number} have {len(label)} labels and "
                    f"{len(predicted)} predictions"
                )
            yield subject or str(number), label, predicted
            waiting, subject = {}, ""


def _kind(words: str) -> str | None:
    if _PREDICTIONS.search(words):
        return "predicted"
    return "label" if _LABELS.search(words) else None


def _values(text: str) -> list[str] | None:
    """The list's values; arrays as NumPy prints them have no commas."""
    inner = text[1:-1].strip()
    try:
        found: Sequence[object] = ast.literal_eval(text if "," in inner else f"[{inner}]")
    except (ValueError, SyntaxError):
        found = inner.replace(",", " ").split()
    return [str(value) for value in found] if found else None


def _subject(before: str) -> str:
    """The last word that is neither a kind of list nor a word for subject."""
    words = re.findall(r"[\w./-]+", before)
    named = [
        word.strip("./-")
        for word in words
        if not (_kind(word) or re.fullmatch(r"(?i)subjects?|sub|fold|lists?|labels?", word))
    ]
    return named[-1] if named else ""
