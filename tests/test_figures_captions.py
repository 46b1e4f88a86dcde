"""The report's captions, rendered as Snakemake does it."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from docutils.core import publish_parts
from jinja2 import Environment, StrictUndefined

from fleeting.config import complete

ROOT = Path(__file__).parents[1]
CAPTIONS = sorted((ROOT / "workflow" / "report").glob("*.rst"))


def config(repeats: int = 10, show_faces: object = "none") -> dict:
    whole = complete(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
    whole["experiments"]["paper"]["grid"]["repeats"] = repeats
    return whole | {"show_faces": show_faces}


def render(path: Path, settings: dict, lr: str = "1e-04") -> str:
    """The caption as text of a page; a mistake in its markup is an error."""
    wildcards = SimpleNamespace(experiment="paper", lr=lr)
    environment = Environment(trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    text = environment.from_string(path.read_text(encoding="utf-8")).render(
        snakemake=SimpleNamespace(config=settings, wildcards=wildcards)
    )
    warnings = io.StringIO()
    overrides = {"warning_stream": warnings, "report_level": 1}
    body = publish_parts(text, writer="html", settings_overrides=overrides)["body"]
    assert not warnings.getvalue()
    return " ".join(body.split())


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("repeats", [1, 10])
@pytest.mark.parametrize("show_faces", ["none", "synthetic", ["casme/sub01"]])
def test_captions_are_whole(path, repeats, show_faces):
    text = render(path, config(repeats, show_faces))
    assert len(text) > 60
    assert "{" not in text


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_a_caption_with_repeats_says_how_many_and_that_the_band_is_no_confidence_interval(path):
    source = path.read_text(encoding="utf-8")
    if "repeats == 1" in source:
        assert "10 repeats on one split" in render(path, config())
        assert "1 repeats" not in render(path, config(repeats=1))
    if "band runs" in source:
        assert "not a confidence interval" in render(path, config())


@pytest.mark.parametrize(("lr", "figure"), [("1e-03", "6"), ("1e-04", "7"), ("1e-05", "8")])
def test_a_rate_of_the_paper_names_its_figure(lr, figure):
    path = ROOT / "workflow" / "report" / "figure_validation_accuracy.rst"
    assert f"Figure {figure} of the paper" in render(path, config(), lr)
    assert "that it does not use" in render(path, config(), "1e-02")


def test_captions_say_whose_faces_are_shown():
    for name in ("figure_cropping", "figure_confused_pair"):
        path = ROOT / "workflow" / "report" / f"{name}.rst"
        assert "No face is shown" in render(path, config())
        assert "synthetic" in render(path, config(show_faces="synthetic"))
        assert "that the config lists" in render(path, config(show_faces=["casme/sub01"]))
