"""Tables of databases, and what the stage `databases` makes of them."""

from pathlib import Path

import openpyxl

from fleeting import tsv
from fleeting.databases import extract, settings
from fleeting.databases.settings import DatabaseSettings


def write_xlsx(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def write_text(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def block(reader: str, table: Path, /, **keys: object) -> DatabaseSettings:
    """The settings of a database `mine` whose frames lie beside its table."""
    given = {"reader": reader, "table": table, "frames": table.parent, **keys}
    return settings.load("mine", given)


def extracted(
    path: Path, reader: str = "casme2", apex: str = "drop", /, **keys: object
) -> extract.Extraction:
    """What is read from a table; `keys` are further ones of the database's block."""
    return extract.extract("mine", block(reader, path, **keys), path, apex)


def codes(result: extract.Extraction) -> list[object]:
    return [row["code"] for row in result.excluded]


def accounted(result: extract.Extraction, folder: Path) -> None:
    """Every row is a sample or an exclusion, every image as well; the tables can be written."""
    whole_rows = [row for row in result.excluded if not row["image"]]
    assert result.rows == len(result.samples) + len(whole_rows)
    assert len({sample["sample"] for sample in result.samples}) == len(result.samples)
    images = sum(sample[phase] != "" for sample in result.samples for phase in tsv.PHASES)
    assert 3 * len(result.samples) == images + len(result.excluded) - len(whole_rows)
    for rows, schema in (
        (result.samples, tsv.ANNOTATIONS),
        (result.excluded, tsv.EXCLUDED),
        (result.substituted, tsv.SUBSTITUTED),
    ):
        tsv.write_rows(rows, folder / "table.tsv", schema)
        assert len(tsv.read_rows(folder / "table.tsv", schema)) == len(rows)
