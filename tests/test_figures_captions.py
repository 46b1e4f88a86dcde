"""What the figures' modules declare: captions for the report, files and settings."""

import io
from string import Formatter

import pytest
from docutils.core import publish_parts

from fleeting import registry

FIGURES = registry.names("figure")
#: Figures without repeats: their captions say so in their own words.
COUNTS = ("databases", "classes", "cropping")
PLACES = {"experiment", "database", "input", "crop", "selection"}


def caption(name: str) -> str:
    """The caption as text of a page; a mistake in its markup is an error."""
    warnings = io.StringIO()
    overrides = {"warning_stream": warnings, "report_level": 1}
    text = registry.constants("figure", name)["CAPTION"]
    body = publish_parts(text, writer="html", settings_overrides=overrides)["body"]
    assert not warnings.getvalue()
    return body


@pytest.mark.parametrize("name", FIGURES)
def test_a_caption_is_one_paragraph_without_placeholders(name):
    body = caption(name)
    assert body.count("<p>") == 1
    assert not set("{}") & set(body)


@pytest.mark.parametrize("name", FIGURES)
def test_a_caption_says_how_numbers_were_obtained(name):
    body = caption(name)
    if name in COUNTS:
        assert "nothing varied" in body or "repeats" in body
        return
    for part in ("repeats", "varied", "Runs that failed are in no mean"):
        assert part in body
    assert any(word in body for word in ("hance", "guessing", "same probability"))
    if "band" in body:
        assert "not a confidence interval" in body


@pytest.mark.parametrize("name", FIGURES)
def test_what_a_figure_reads_can_be_found_without_importing_it(name):
    constants = registry.constants("figure", name)
    for path in constants["READS"].values():
        assert {field for _, field, _, _ in Formatter().parse(path) if field} <= PLACES
    assert all(isinstance(path, str) for path in constants.get("SETTINGS", ()))


def test_captions_name_the_papers_figures():
    body = caption("validation_accuracy")
    assert "Figures 6 (learning rate 1e-03), 7 (1e-04) and 8 (1e-05) of the paper" in body


@pytest.mark.parametrize("name", ["cropping", "confused_pair"])
def test_captions_say_whose_faces_are_shown(name):
    assert "show_faces" in caption(name)
    assert "outlines stand in" in caption(name)
