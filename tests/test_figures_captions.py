"""What the figures' modules declare: captions for the report, files and settings."""

import io
from pathlib import Path

import pytest
from docutils.core import publish_parts

from fabricated_runs import declared
from fleeting import registry

FIGURES = registry.names("figure")
#: Figures without repeats: their captions say so in their own words.
COUNTS = ("databases", "classes", "cropping", "protocol", "motion_of_clips", "strain_by_class")


@pytest.mark.parametrize("name", FIGURES)
def test_a_caption_is_one_paragraph_that_says_how_numbers_were_obtained(name):
    warnings = io.StringIO()
    overrides = {"warning_stream": warnings, "report_level": 1}
    text = registry.constants("figure", name)["CAPTION"]
    body = publish_parts(text, writer="html", settings_overrides=overrides)["body"]
    assert not warnings.getvalue(), "a mistake in its markup"
    assert body.count("<p>") == 1
    assert not set("{}") & set(body)
    if name in COUNTS:
        assert "nothing varied" in body or "repeats" in body
    else:
        for part in ("repeats", "varied", "Runs that failed are in no mean"):
            assert part in body
        assert any(word in body for word in ("hance", "guessing", "same probability"))
    assert "band" not in body or "not a confidence interval" in body


@pytest.mark.parametrize("name", FIGURES)
def test_the_rules_can_read_what_a_figure_declares_without_importing_it(name):
    constants = registry.constants("figure", name)
    module = registry.load("figure", name)
    for constant in ("CAPTION", "READS", "SETTINGS", "FILE", "SCOPE", "LOOKS_AT"):
        assert constants.get(constant) == getattr(module, constant, None)
    for paths in declared("figure", name, Path("results")).values():
        assert all("{" not in str(path) for path in paths)
