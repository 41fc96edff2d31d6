"""YAML as operators write it: the values, the lines, and the sentences for what is wrong."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from commsched.errors import ConfigurationError
from commsched.rules.yamldoc import parse_document, read_document


def problems(read, *arguments):
    with pytest.raises(ConfigurationError) as caught:
        read(*arguments)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10:00", "10:00"),
        ("12:30:45", "12:30:45"),
        ("1e3", "1e3"),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("10", 10),
        ("-3", -3),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x1f", "0x1f"),
        ("1.50", 1.5),
        (".5", ".5"),
        ("9" * 5000, "9" * 5000),
        ("2026-10-01", date(2026, 10, 1)),
        ("2026-10-01T10:00:00Z", "2026-10-01T10:00:00Z"),
        ("10-01", "10-01"),
        ("'2026-10-01'", "2026-10-01"),
        ("'5'", "5"),
        ("200/day", "200/day"),
    ],
)
def test_a_value_is_what_it_looks_like(text, value):
    """Only true and false are truth values, only a whole date is a date, and times are texts."""
    found = parse_document(f"a: {text}", "f.yaml").values["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_texts():
    """A key that looks like a number or a truth value stays the text that it is."""
    assert parse_document("on: 1\n10: 2\ntrue: 3\n<<: {a: 1}", "f").values == {
        "on": 1,
        "10": 2,
        "true": 3,
        "<<": {"a": 1},
    }


def test_every_key_and_item_has_its_line():
    """Lines are known by path; what has none takes that of the nearest key around it."""
    document = parse_document(
        "\ufeffa: 1\nb:\n  - x\n  -\n    c: 1\n    d: >-\n      long\n      text\ne: 1\n", "f.yaml"
    )
    wanted = {("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1, "c"): 5, ("b", 1, "d"): 6, ("e",): 9}
    assert {path: document.line(path) for path in wanted} == wanted
    assert document.line(("b", 1, "d", "unheard", 3)) == 6
    assert document.line(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["f.yaml:1: The file is empty; delete it or fill it."]),
        ("# nothing\n---\n", ["f.yaml:1: The file is empty; delete it or fill it."]),
        ("- a\n- b", ["f.yaml:1: The file must be a mapping: lines such as `key: value`."]),
        ("just words", ["f.yaml:1: The file must be a mapping: lines such as `key: value`."]),
        (
            "a: 1\na: 2\nb:\n  c: 1\n  c: 2",
            [
                "f.yaml:2: The key 'a' stands twice (first on line 1).",
                "f.yaml:5: The key 'c' stands twice (first on line 4).",
            ],
        ),
        ("a: b: c", ["f.yaml:1: This is not valid YAML: a text with a colon in it must be put in quotes (column 5)."]),
        (
            "a:\n\tb: 1",
            ["f.yaml:2: This is not valid YAML: lines are indented with spaces, never with tabs (column 1)."],
        ),
        (
            "a: &x [1]\nb: *x",
            [
                (
                    "f.yaml:2: This is not valid YAML: references such as *x are not supported; write the"
                    " value out (column 4)."
                )
            ],
        ),
        (
            "\nwhen: !booked",
            [
                (
                    "f.yaml:2: This is not valid YAML: '!booked' is a tag to YAML; put a text that begins with"
                    " ! in quotes"
                    " (column 7)."
                )
            ],
        ),
        (
            "a: !!int x",
            [
                (
                    "f.yaml:1: This is not valid YAML: 'int' is a tag to YAML; put a text that begins with ! in quotes"
                    " (column 4)."
                )
            ],
        ),
        ("a: 2026-02-31", ["f.yaml:1: 2026-02-31 is not a day of the calendar."]),
        (
            "a: 1\n---\nb: 1",
            ["f.yaml:2: This is not valid YAML: there is a second document after ---; write one file for each."],
        ),
        ("a: [1", ["f.yaml:1: This is not valid YAML: expected ',' or ']', but got '<stream end>' (column 6)."]),
        ("[" * 5000, ["f.yaml: The YAML is nested too deeply."]),
        ("a: 1\nb: \x00", ["f.yaml:2: The file has a character that YAML does not allow (code 0)."]),
        ('a: "\\ud800"', ["f.yaml:1: The text has half a character in it, such as \\ud800; write it again."]),
        ('"\\ud800": 1', ["f.yaml:1: The key has half a character in it, such as \\ud800; write it again."]),
        ("? [a]\n: 1", ["f.yaml:1: A key must be a single word or text."]),
    ],
)
def test_bad_yaml_is_told_in_words(text, said):
    """What YAML cannot read, or an operator cannot have meant, is told with its line."""
    assert problems(parse_document, text, "f.yaml") == said


def test_unreadable_files_are_told_in_words(tmp_path, monkeypatch):
    """A file that is missing, huge, a folder or not text gives one clear sentence."""
    monkeypatch.chdir(tmp_path)
    for name in ("huge.yaml", "latin.yaml"):
        (tmp_path / name).touch()
    with (tmp_path / "huge.yaml").open("wb") as huge:
        huge.truncate(50_000_000)
    (tmp_path / "latin.yaml").write_bytes("a: 1\nb: für\n".encode("latin-1"))
    (tmp_path / "folder.yaml").mkdir()
    assert problems(read_document, Path("huge.yaml")) == [
        "huge.yaml: The file is larger than 1 MB; no configuration is."
    ]
    assert problems(read_document, Path("latin.yaml")) == [
        "latin.yaml:2: The file is not UTF-8 text; save it again with that encoding."
    ]
    assert problems(read_document, Path("gone.yaml")) == [
        "gone.yaml: The file cannot be read: No such file or directory."
    ]
    assert problems(read_document, Path("folder.yaml")) == ["folder.yaml: The file cannot be read: Is a directory."]
