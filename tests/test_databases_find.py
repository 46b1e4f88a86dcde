"""Which file below a root is a database's table."""

import subprocess
import sys
from pathlib import Path

import pytest

from fleeting import registry
from fleeting.databases import emotions, find, reader, settings
from fleeting.errors import UserError

NAMES = {
    "casme": ["CASME-coded-20190721.xls", "CASME.xls", "casme.xlsx", "CASME_20140101.xls"],
    "casme2": ["CASME2-coding-20140508.xlsx", "CASME2-coding-20190701.tsv", "CASME II.xlsx"],
    "cas_me2": [
        "CAS(ME)^2code_final.xlsx",
        "CAS(ME)^2code_final(Updated).xlsx",
        "CAS(ME)2code_final.xlsx",
        "CASME2code_final.xlsx",
    ],
    "samm": ["SAMM_Micro_FACS_Codes_v2.xlsx", "samm.xls", "SAMM_Micro_FACS_Codes_v2.csv"],
}
SUBJECTS = {"casme": "sub01", "casme2": "sub01", "cas_me2": "s15", "samm": "006"}


@pytest.mark.parametrize("database", sorted(NAMES))
def test_each_reader_knows_its_tables_and_no_other(database):
    pattern = reader.load(database).TABLE_NAME
    for owner, names in NAMES.items():
        for name in names:
            assert bool(pattern.fullmatch(name.casefold())) == (owner == database), name


def test_other_tables_beside_the_published_one(tmp_path):
    for name in ("SAMM_LongVideos_V3_Release.xlsx", "SAMM_Micro_FACS_Codes_v2.xlsx"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("CASME-my-notes-20230101.xlsx", "CASME-coded-20190721.xls"):
        (tmp_path / name).write_bytes(b"x")
    assert find.table(tmp_path, "samm").name == "SAMM_Micro_FACS_Codes_v2.xlsx"
    assert find.table(tmp_path, "casme").name == "CASME-coded-20190721.xls"


def test_all_readers_offer_the_interface():
    assert registry.names("reader") == sorted([*NAMES, "table"])
    for name in registry.names("reader"):
        module = reader.load(name)
        for attribute in [*reader.Reader.__annotations__, "rows", "places"]:
            assert hasattr(module, attribute), (name, attribute)
        assert issubclass(module.Settings, settings.DatabaseSettings)


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_the_places_of_the_published_databases(name):
    block = settings.load(name, {"reader": name, "root": "/data"})
    for place in reader.load(name).places(SUBJECTS[name], "c1", {}, block):
        assert place.file is None
        assert place.levels[-1].fullmatch("c01")


def block(reader_name: str, **keys: object) -> settings.DatabaseSettings:
    return settings.load(reader_name, {"reader": reader_name, **keys})


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_the_newest_version_is_taken(tmp_path):
    touch(tmp_path, "a/CASME2-coding-20140508.xlsx", "a/b/CASME2-coding-20190701.xlsx")
    touch(tmp_path, "CASME2.xlsx", "~$CASME2-coding-20240101.xlsx", "._CASME2-20250101.xlsx")
    assert find.table(tmp_path, "casme2") == tmp_path / "a/b/CASME2-coding-20190701.xlsx"


def test_updated_and_versions_win(tmp_path):
    touch(tmp_path, "CAS(ME)^2code_final.xlsx", "CAS(ME)^2code_final(Updated).xlsx")
    touch(tmp_path, "SAMM_Micro_FACS_Codes_v1.xlsx", "SAMM_Micro_FACS_Codes_v10.xlsx")
    assert find.table(tmp_path, "cas_me2").name == "CAS(ME)^2code_final(Updated).xlsx"
    assert find.table(tmp_path, "samm").name == "SAMM_Micro_FACS_Codes_v10.xlsx"


def test_only_the_root_and_two_levels_below_are_listed(tmp_path):
    touch(tmp_path, "a/b/c/CASME.xls")
    assert find.table(tmp_path, "casme") is None
    touch(tmp_path, "a/b/CASME.xls")
    assert find.table(tmp_path, "casme") == tmp_path / "a/b/CASME.xls"


def test_nothing_outside_the_root_is_found(tmp_path):
    touch(tmp_path, "outside/CASME.xls")
    root = tmp_path / "root"
    root.mkdir()
    (root / "CASME.xls").symlink_to(tmp_path / "outside/CASME.xls")
    (root / "linked").symlink_to(tmp_path / "outside")
    assert find.table(root, "casme") is None


def test_a_place_that_snakemake_would_change_is_passed_over(tmp_path):
    """It takes <name> for a variable of its own, in whatever path."""
    touch(tmp_path, "a<b>c/CASME-coded-20190721.xls", "CASME.xls", "CASME<b>20200101.xls")
    assert find.tables(tmp_path, "casme") == [tmp_path / "CASME.xls"]


def test_workbooks_come_before_text_files(tmp_path):
    touch(tmp_path, "CASME2-coding-20240101.csv", "CASME2-coding-20140508.xlsx")
    assert find.table(tmp_path, "casme2").name == "CASME2-coding-20140508.xlsx"


def test_a_missing_root_is_no_table(tmp_path):
    assert find.table(tmp_path / "none", "casme") is None


def test_frames_are_searched_in_their_folder_or_in_the_root():
    assert find.frames_root(block("samm", root="/data/SAMM")) == Path("/data/SAMM")
    assert find.frames_root(block("samm", table="t", frames="/data/f")) == Path("/data/f")


def test_looking_for_a_table_imports_nothing_heavy():
    scripts = Path(find.__file__).parents[2]
    code = (
        "import sys; from pathlib import Path; from fleeting import registry\n"
        "from fleeting.databases import find\n"
        "for name in registry.names('reader'): find.table(Path('.'), name)\n"
        "print(sorted({'pandas', 'openpyxl', 'xlrd', 'numpy'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def test_the_chosen_version_is_logged(tmp_path, caplog):
    touch(tmp_path, "CASME.xls", "old/CASME-coded-20190721.xls")
    caplog.set_level("INFO")
    chosen = find.table_path("mine", block("casme", root=tmp_path))
    assert chosen.name == "CASME-coded-20190721.xls"
    assert "mine: took CASME-coded-20190721.xls; also there: CASME.xls" in caplog.text


def test_errors_name_folder_and_accepted_names(tmp_path):
    with pytest.raises(UserError, match="no such folder; correct databases.mine.root"):
        find.table_path("mine", block("casme", root=tmp_path / "none"))
    with pytest.raises(UserError, match="no table of mine there.*CASME-coded-20190721.xls"):
        find.table_path("mine", block("casme", root=tmp_path))


@pytest.mark.parametrize(
    ("reader_name", "given", "message"),
    [
        ("casme", {}, "give either `root`, or both `table` and `frames`"),
        ("casme", {"table": "t"}, "give either `root`, or both"),
        ("casme", {"root": "r", "frames": "f"}, "give either `root`, or both"),
        ("casme", {"root": "{r}"}, "must not hold braces"),
        ("casme", {"root": "r", "label": "estimated"}, "'label' .*known: reader, root"),
        ("casme", {"root": "r", "source": "x"}, "source\n  Input should be 'raw' or 'cropped'"),
        ("cas_me2", {"root": "r", "label": "x"}, "label\n  Input should be 'self_reported' or"),
        ("cas_me2", {"root": "r", "expression_types": []}, "expression_types\n  List should have"),
        ("cas_me2", {"root": "r", "expression_types": "micro"}, "expression_types\n  Input should"),
    ],
)
def test_wrong_settings_are_named(reader_name, given, message):
    with pytest.raises(UserError, match=message):
        block(reader_name, **given)


def test_settings_are_completed_and_survive_json():
    complete = block("cas_me2", root="r", label="estimated")
    assert (complete.expression_types, complete.source) == (["micro"], "raw")
    assert settings.load("cas_me2", complete.model_dump(mode="json")) == complete


@pytest.mark.parametrize(
    ("emotion", "meant"),
    [("suprise", "surprise"), ("hapiness", "happiness"), ("dsgust", "disgust")]
    + [("sadness", None), ("helpness", None), ("zzz", None)],
)
def test_typing_errors_are_told_from_other_emotions(emotion, meant):
    assert emotions.nearest(emotion) == meant


def test_the_label_map_counts_as_known_emotions():
    assert emotions.nearest("smlie", ["smile"]) == "smile"
    assert emotions.nearest("smile", ["smile"]) is None
