from accounts.names import clean, fold


def test_width_and_case_do_not_matter() -> None:
    assert fold(" Ｔeam-決済 ") == fold("team-決済")


def test_clean_text_keeps_what_is_whole() -> None:
    assert clean("花子 🌸", 10) == "花子 🌸"


def test_clean_text_has_neither_nul_nor_halves() -> None:
    assert clean("a\x00b\ud83dc", 10) == "a\ufffdb\ufffdc"


def test_clean_text_is_no_longer_than_its_column() -> None:
    assert len(clean(fold("ﷺ" * 100), 1024)) == 1024
