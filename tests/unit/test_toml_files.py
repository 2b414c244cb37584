"""TOML with errors that name the file, the key, what was expected and what was found."""

import pytest

from kyphobayes.errors import EvidenceError
from kyphobayes.toml_files import check_keys, read_toml, texts, typed


def test_read(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text('name = "Ribeirão Preto"\n[x]\ny = [1, 2]\n', encoding="utf-8")
    assert read_toml(path) == {"name": "Ribeirão Preto", "x": {"y": [1, 2]}}


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbfx = 1\n", b"x = 1\r\n", b"\xef\xbb\xbfx = 1\r\n"])
def test_what_windows_editors_write_is_accepted(raw, tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(raw)
    assert read_toml(path) == {"x": 1}


@pytest.mark.parametrize("raw", [b"x = ", b"\xe9 = 1", b"x = 1\nx = 2", b"\x00", "x = 1".encode("utf-16")])
def test_what_is_not_toml(raw, tmp_path):
    path = tmp_path / "a.toml"
    path.write_bytes(raw)
    with pytest.raises(EvidenceError, match=r"a\.toml: cannot be read as TOML") as error:
        read_toml(path)
    assert "\n" not in str(error.value)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(EvidenceError, match=r"b\.toml: no such file"):
        read_toml(tmp_path / "b.toml")
    with pytest.raises(EvidenceError, match="cannot be read"):
        read_toml(tmp_path)


def test_keys():
    check_keys("here", {"title": 1, "note": 2}, ["title"], ["note", "next"])
    with pytest.raises(EvidenceError, match="here: expected a key 'title'"):
        check_keys("here", {"note": 2}, ["title"], ["note"])
    with pytest.raises(EvidenceError, match="here: unknown key 'ntoe'; did you mean 'note'"):
        check_keys("here", {"title": 1, "ntoe": 2}, ["title"], ["note"])
    with pytest.raises(EvidenceError, match="unknown key 'zzzz'; expected one of title, note"):
        check_keys("here", {"title": 1, "zzzz": 2}, ["title"], ["note"])


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        (3, float, 3.0),
        (3.5, float, 3.5),
        ("a", str, "a"),
        ([1], list, [1]),
        ({"a": 1}, dict, {"a": 1}),
        (3, int, 3),
    ],
)
def test_a_value_of_the_right_kind(value, kind, found):
    result = typed("here", {"x": value}, "x", kind)
    assert result == found and type(result) is kind


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (True, float, "a number, found True"),
        (True, int, "a whole number, found True"),
        (3.0, int, "a whole number, found 3.0"),
        ("3", float, "a number, found '3'"),
        (3, str, "text, found 3"),
        ("a", list, "a list, found 'a'"),
        ([], dict, "a table, found []"),
    ],
)
def test_a_value_of_another_kind(value, kind, words):
    with pytest.raises(EvidenceError) as error:
        typed("here", {"x": value}, "x", kind)
    assert str(error.value) == f"here: expected x to be {words}"


def test_a_missing_value_has_its_default():
    assert typed("here", {}, "x", str, "none") == "none"
    assert texts("here", {}, "x") == ()
    assert texts("here", {"x": ["a", "b"]}, "x") == ("a", "b")
    with pytest.raises(EvidenceError, match="here: expected x to hold texts, found 3"):
        texts("here", {"x": ["a", 3]}, "x")
