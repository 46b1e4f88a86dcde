"""Pages, Markdown and LaTeX: whole, escaped, and readable."""

from html.parser import HTMLParser

import pandas as pd
from docutils.core import publish_parts

from fleeting.evaluation.render import (
    Page,
    count_by,
    html,
    latex,
    markdown,
    restructured_text,
    write,
)

FRAME = pd.DataFrame(
    {"name": ["<b>a|b</b>", "50% & x_1"], "value": [0.5, float("nan")], "count": ["3", "12"]}
)
PAGE = Page("Table 9: a <title>", "How & why.", [("", FRAME), ("Part", FRAME.iloc[:1])])


class Cells(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.cells = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)
        if tag == "td":
            self.cells.append((dict(attrs).get("class"), ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "td" in self.open:
            self.cells[-1] = (self.cells[-1][0], data)


def test_a_page_is_whole_and_escaped():
    parser = Cells()
    parser.feed(html(PAGE))
    assert parser.open == []
    assert parser.cells[:3] == [("s", "<b>a|b</b>"), ("n", "0.500"), ("n", "3")]
    assert parser.cells[4] == ("n", "")
    assert "http" not in html(PAGE)
    assert "No rows." in html(Page("t", "n", [("", FRAME.iloc[:0])]))


def test_markdown_columns_line_up():
    lines = [line for line in markdown(PAGE).splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines[:4]}) == 1
    assert "a\\|b" in lines[2]
    assert lines[1].count(":") == 2
    assert markdown(PAGE).endswith("How & why.\n")


def test_latex_is_escaped_and_not_numbered_twice():
    text = latex(PAGE)
    assert r"50\% \& x\_1" in text
    assert r"\caption{A <title>.}" in text
    assert text.count(r"\begin{tabular}{lrr}") == text.count(r"\end{tabular}}") == 2
    assert text.count("How") == 1
    # A row that starts with a bracket would be an option of the line break before it.
    assert "\n{}[3x3]" in latex(Page("t", "n", [("", pd.DataFrame({"a": ["[3x3]"]}))]))


def test_restructured_text_is_what_docutils_reads():
    made = publish_parts(restructured_text(PAGE), writer="html")
    parser = Cells()
    parser.feed(made["body"])
    assert "System Message" not in made["whole"]
    assert "How &amp; why." in made["body"]
    assert "<b>a|b</b>" in made["body"].replace("&lt;", "<").replace("&gt;", ">")
    assert "50% &amp; x_1" in made["body"]
    assert made["body"].count("<table") == 2


def test_a_table_is_written_in_the_formats_that_are_asked_for(tmp_path):
    write(PAGE, tmp_path / "all_runs.tsv", ["html"])
    write(PAGE, tmp_path / "table1.tsv", ["html", "md", "tex"])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["all_runs.html", "table1.html", "table1.md", "table1.tex"]


def test_counts_are_sorted_by_frequency_and_name():
    counts = count_by(pd.DataFrame({"code": ["b", "c", "a", "c"]}), ["code"])
    assert counts.to_dict("list") == {"code": ["c", "a", "b"], "count": [2, 1, 1]}
