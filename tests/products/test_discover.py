"""What a command line argument means."""

from __future__ import annotations

from pathlib import Path

import pytest

from mpc.msi.discover import discover


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in (
        "a/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE/GRANULE/inner.SAFE",
        "a/b/S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00/QI_DATA",
        "a/.hidden/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE",
        "flat",
        "c/unnamed/DATASTRIP/S2A_OPER_MSI_L1B_DS_DPRM_20140630T140000_S20200816T120220_N05.00",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "flat" / "MTD_MSIL1C.xml").write_text("<x/>")
    (tmp_path / "a" / "c.zip").write_bytes(b"")
    (tmp_path / "a" / "note.txt").write_text("")
    return tmp_path


def names(argument: Path) -> list[str]:
    return sorted(path.name for path in discover(str(argument)))


def test_a_tree_gives_its_products_and_zips_and_does_not_enter_them(tree: Path) -> None:
    assert names(tree) == [
        "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE",
        "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00",
        "c.zip",
        "flat",
        "unnamed",
    ]


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("a/c.zip", ["c.zip"]),
        ("a/note.txt", ["note.txt"]),  # handed back so that the reader can say what is wrong with it
        ("a/*.zip", ["c.zip"]),
        ("**/S2B*", ["S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00"]),
        ("flat", ["flat"]),
    ],
)
def test_files_folders_and_patterns(tree: Path, argument: str, expected: list[str]) -> None:
    assert names(tree / argument) == expected


@pytest.mark.parametrize("argument", ["nowhere", "*.SAFE", "a/*.tar"])
def test_nothing_there_is_said(tree: Path, argument: str) -> None:
    with pytest.raises(FileNotFoundError, match="nothing there"):
        list(discover(str(tree / argument)))
