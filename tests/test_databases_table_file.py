"""Which file below a root is a database's table."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fleeting.databases import reader, settings, table_file
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
    "table": [],
}


@pytest.mark.parametrize("database", NAMES)
def test_each_reader_knows_its_tables_and_no_other(database):
    pattern = reader.load(database).TABLE_NAME
    for owner, names in NAMES.items():
        for name in names:
            assert bool(pattern.fullmatch(name.casefold())) == (owner == database), name


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize(
    ("database", "chosen", "others"),
    [
        (
            "casme2",
            "a/b/CASME2-coding-20190701.xlsx",
            [
                *("a/CASME2-coding-20140508.xlsx", "CASME2.xlsx", "CASME2-coding-20240101.csv"),
                *("~$CASME2-coding-20240101.xlsx", "._CASME2-20250101.xlsx"),
            ],
        ),
        ("cas_me2", "CAS(ME)^2code_final(Updated).xlsx", ["CAS(ME)^2code_final.xlsx"]),
        (
            "samm",
            "SAMM_Micro_FACS_Codes_v10.xlsx",
            ["SAMM_Micro_FACS_Codes_v9.xlsx", "SAMM_LongVideos_V30_Release.xlsx"],
        ),
        # One's own notes, and what lies too deep.
        ("casme", "CASME-coded-20190721.xls", ["CASME-my-notes-20230101.xlsx", "a/b/c/CASME.xls"]),
        # Snakemake replaces <name> in any path.
        ("casme", "CASME.xls", ["a<b>c/CASME-coded-20190721.xls", "CASME<b>20200101.xls"]),
    ],
)
def test_the_newest_version_is_taken(tmp_path, database, chosen, others):
    touch(tmp_path, chosen, *others)
    assert table_file.newest(tmp_path, database) == tmp_path / chosen


def test_what_is_not_below_the_root_is_not_found(tmp_path):
    touch(tmp_path, "outside/CASME.xls", "root/a/b/c/CASME.xls")
    root = tmp_path / "root"
    (root / "CASME.xls").symlink_to(tmp_path / "outside/CASME.xls")
    (root / "CASME-loop.xls").symlink_to("CASME-loop.xls")
    (root / "linked").symlink_to(tmp_path / "outside")
    assert table_file.newest(root, "casme") is None
    assert table_file.newest(tmp_path / "none", "casme") is None


def test_looking_for_a_table_imports_nothing_heavy():
    code = (
        "import sys; from pathlib import Path; from fleeting import registry\n"
        "from fleeting.databases import table_file\n"
        "for name in registry.names('reader'): table_file.newest(Path('.'), name)\n"
        "print(sorted({'pandas', 'python_calamine', 'numpy'} & set(sys.modules)))"
    )
    scripts = Path(table_file.__file__).parents[2]
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=scripts, capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"


def located(root: Path, reader: str = "casme") -> Path:
    return table_file.locate("mine", settings.load("mine", {"reader": reader, "root": root}))


def test_the_other_versions_are_logged(tmp_path, caplog):
    touch(tmp_path, "CASME.xls", "old/CASME-coded-20190721.xls")
    caplog.set_level("INFO")
    assert located(tmp_path).name == "CASME-coded-20190721.xls"
    assert "mine: took CASME-coded-20190721.xls; also there: CASME.xls" in caplog.text


def test_errors_name_folder_and_accepted_names(tmp_path):
    with pytest.raises(UserError, match="no such folder; correct databases.mine.root"):
        located(tmp_path / "none")
    with pytest.raises(UserError, match="no table of mine there.*CASME-coded-20190721.xls"):
        located(tmp_path)


@pytest.mark.parametrize(
    ("database", "name", "owner"),
    [
        ("casme2", "CAS(ME)^2code_final.xlsx", "cas_me2"),
        ("cas_me2", "CASME2-coding-20190701.xlsx", "casme2"),
        ("casme", "SAMM_Micro_FACS_Codes_v2.xlsx", "samm"),
        ("samm", "CASME.xls", "casme"),
    ],
)
def test_a_table_of_another_database_is_named(tmp_path, database, name, owner):
    touch(tmp_path, name)
    with pytest.raises(UserError, match=f"{re.escape(name)} looks like the table of {owner}"):
        located(tmp_path, database)
