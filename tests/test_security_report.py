"""Markup in names: whatever a table, a folder or a config says, the report shows it as text."""

from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from fleeting import registry, tsv
from fleeting.config.loading import load
from fleeting.databases import extract, settings
from fleeting.errors import UserError
from fleeting.evaluation import render
from fleeting.splits.pool import make_pool
from malformed.workbooks import ROWS, changed, packed, parts, row, sheet
from small_splits import resolved_map

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


def page_of(table: str, files: dict[str, list[Path]], settings: dict[str, object]) -> str:
    return render.html(registry.load("table", table).make(files, settings)[1])


def exclusions(folder: Path, markup: str) -> tuple[Path, pd.DataFrame]:
    """Every cell of a row holds it in turn, and so do the file and the sheet."""
    wrong = [changed(filename=f"EP{n}", **{n: markup}) for n in ("subject", "onsetframe", "au")]
    wrong += [changed(filename=markup), changed(apexframe=markup, offsetframe=markup)]
    wrong += [changed(filename="EP9", emotion=markup)]
    lines = [row(number, values) for number, values in enumerate(wrong, start=3)]
    path = folder / f"{markup.replace('/', '')} table.xlsx"
    path.write_bytes(packed(parts(sheet(*ROWS, *lines))))
    block = {"reader": "casme2", "table": "casme2.xlsx", "frames": "frames"}
    result = extract.extract("casme2", settings.load("casme2", block), path, "drop")
    samples, excluded = pd.DataFrame(result.samples), pd.DataFrame(result.excluded)
    tsv.write(samples, folder / "samples.tsv", tsv.ANNOTATIONS)
    tsv.write(excluded, folder / "excluded.tsv", tsv.EXCLUDED)
    return folder / "excluded.tsv", tsv.read(folder / "samples.tsv", tsv.ANNOTATIONS)


@pytest.mark.parametrize("markup", [SCRIPT, "<img src=x onerror=alert(1)>"])
def test_markup_in_a_table_reaches_the_report_as_text(tmp_path: Path, markup: str) -> None:
    excluded, samples = exclusions(tmp_path, markup)
    tsv.write_rows([], tmp_path / "none.tsv", tsv.EXCLUDED)
    reads = registry.constants("table", "excluded")["READS"]
    files = {name: [tmp_path / "none.tsv"] for name in reads} | {next(iter(reads)): [excluded]}
    page = page_of("excluded", files, {"databases": ["casme2"]})
    assert harmless(page).text.count(markup) >= 4
    examples = samples.assign(
        example=samples["sample"] + "/onset",
        phase="onset",
        sha256="0" * 64,
        source=samples["sample"],
        recording=samples["sample"],
        person=samples["subject"],
    )
    label_map = resolved_map({"happiness": ["happiness"]}, "casme2")
    unused = make_pool(examples, label_map, []).unused
    tsv.write(unused, tmp_path / "unused.tsv", tsv.UNUSED)
    shown = harmless(page_of("unused", {"unused": [tmp_path / "unused.tsv"]}, {}))
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
            "paper": {"detector": {"kind": markup}} if key == "detector" else {},
            **({markup: {}} if key == "crops" else {}),
        },
    }
    with pytest.raises(UserError):
        load(config)


@pytest.mark.parametrize("kind", ["table", "figure"])
def test_captions_are_literals_without_a_template(kind: str) -> None:
    """Nothing of a config is filled into them."""
    for name in registry.names(kind):
        caption = registry.constants(kind, name)["CAPTION"]
        assert len(caption) > 40
        assert not any(mark in caption for mark in ("{{", "{%", "<")), name
