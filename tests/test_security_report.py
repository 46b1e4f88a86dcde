"""Markup in names: whatever a table, a folder or a config says, the report shows it as text."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from jinja2 import Environment, StrictUndefined

from fleeting import tables
from fleeting.config import complete
from fleeting.databases import extract
from fleeting.errors import UserError
from fleeting.evaluation import leftovers, render
from fleeting.splits.pool import make_pool
from malformed.rows import changed
from malformed.workbooks import ROWS, packed, parts, row, sheet

SCRIPT = "<script>alert(1)</script>"
MARKUP = [
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "</td></table><iframe src=//x>",
    "&lt;script&gt;",
    "<!--",
    "]]>",
    "javascript:alert(1)",
    "`x <file:///etc/passwd>`_ |y| :raw:`z`",
    "{{ 7 * 7 }} {% raw %}",
    "\u202e<b>",
]
ALLOWED = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table"}
ALLOWED |= {"thead", "tbody", "tr", "th", "td"}
CAPTIONS = sorted((Path(__file__).parents[1] / "workflow" / "report").glob("*.rst"))


class Elements(HTMLParser):
    """The elements of a page, their attributes, and the text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += f" {data} "

    def handle_comment(self, data):
        self.tags.add("a comment")


def harmless(page: str) -> Elements:
    found = Elements(page)
    assert found.tags <= ALLOWED
    assert found.attributes <= {"lang", "charset", "class"}
    return found


@pytest.mark.parametrize("markup", MARKUP)
def test_markup_in_any_place_of_a_page_is_text(markup: str) -> None:
    frame = pd.DataFrame({markup: [markup, "x"], "number": [1.0, None]})
    page = render.html(render.Page(markup, markup, [(markup, frame)]))
    assert harmless(page).text.count(" ".join(markup.split())) == 6


def page_of_exclusions(folder: Path, markup: str) -> tuple[str, pd.DataFrame]:
    """Every cell of a row holds it in turn, and so do the file and the sheet."""
    wrong = [changed(filename=f"EP{n}", **{n: markup}) for n in ("subject", "onsetframe", "au")]
    wrong += [changed(filename=markup), changed(apexframe=markup, offsetframe=markup)]
    wrong += [changed(filename="EP9", emotion=markup)]
    lines = [row(number, values) for number, values in enumerate(wrong, start=3)]
    path = folder / f"{markup.replace('/', '')} table.xlsx"
    path.write_bytes(packed(parts(sheet(*ROWS, *lines))))
    result = extract.extract("casme2", path, {}, "drop")
    samples, excluded, _ = result.frames()
    tables.write(samples, folder / "samples.tsv", tables.ANNOTATIONS)
    tables.write(excluded, folder / "excluded.tsv", tables.EXCLUDED)
    frame = tables.read(folder / "excluded.tsv", tables.EXCLUDED)
    return render.html(leftovers.excluded_page(frame)), tables.read(
        folder / "samples.tsv", tables.ANNOTATIONS
    )


@pytest.mark.parametrize("markup", [SCRIPT, "<img src=x onerror=alert(1)>"])
def test_markup_in_a_table_reaches_the_report_as_text(tmp_path: Path, markup: str) -> None:
    page, samples = page_of_exclusions(tmp_path, markup)
    assert harmless(page).text.count(markup) >= 4
    crops = samples.assign(
        image=samples["sample"] + "/onset", phase="onset", file=samples["sample"]
    )
    unused = make_pool(crops, {"happiness": ["happiness"]}, ["onset"], []).unused
    tables.write(unused, tmp_path / "unused.tsv", tables.UNUSED)
    frame = tables.read(tmp_path / "unused.tsv", tables.UNUSED)
    shown = harmless(render.html(leftovers.unused_page(frame)))
    assert markup in shown.text


@pytest.mark.parametrize("markup", MARKUP)
@pytest.mark.parametrize("key", ["experiments", "crops", "label", "model", "detector", "rate"])
def test_names_of_the_config_hold_no_markup(key: str, markup: str) -> None:
    """Captions, categories and labels of the report are made of these."""
    experiment: dict[str, object] = {
        "label": {"label_map": {markup: ["a"], "b": ["b"]}},
        "model": {"grid": {"models": [markup]}},
        "rate": {"grid": {"lrs": [markup]}},
    }.get(key, {})
    config = {
        "databases": {"samm": {"root": "x"}},
        "experiments": {markup if key == "experiments" else "e": experiment},
        "crops": {
            "paper": {"detector": {"name": markup}} if key == "detector" else {},
            **({markup: {}} if key == "crops" else {}),
        },
    }
    with pytest.raises(UserError):
        complete(config)


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_captions_show_nothing_that_is_free_text(path: Path) -> None:
    """What may stand in a config as free text (paths, emotions, subjects) is in no caption.

    Only emotions may be markup.
    """
    free = "alert(1)"
    config = complete(
        {
            "results": f"out {free}",
            "databases": {"samm": {"root": free}},
            "show_faces": [f"samm/{free}"],
            "crops": {"paper": {"detector": {"name": "opencv_ssd", "weights": free}}},
            "experiments": {
                "e": {
                    "label_map": {"a": [SCRIPT], "b": ["b"]},
                    "recipe": {"weights": free},
                    "split": {"unseen_subjects": [f"samm/{free}"]},
                }
            },
        }
    )
    wildcards = {"experiment": "e", "lr": "1e-03"}
    environment = Environment(undefined=StrictUndefined)
    text = environment.from_string(path.read_text(encoding="utf-8")).render(
        snakemake={"config": config, "wildcards": wildcards}
    )
    assert "alert" not in text
