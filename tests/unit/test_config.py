"""The configuration file: what is wrong in it is named with its line, all of it at once."""

from __future__ import annotations

import pytest

from commsched.config import line_of, load_configuration
from commsched.errors import ConfigurationError

FILE = "config/commsched.toml"


@pytest.fixture
def problems(deploy, configuration):
    """Loads the configuration with a text replaced, or added at its end: the problems found."""

    def found(old, new):
        text = configuration.replace(old, new) if old else configuration + new
        try:
            load_configuration(deploy({FILE: text}))
        except ConfigurationError as error:
            return [(one.file, one.line, one.code, one.message) for one in error.problems]
        return []

    return found


CASES = [
    (
        'timezone = "America/Chicago"',
        'timezone = "Chicago"',
        3,
        "invalid",
        "is not an IANA time zone; write e.g. America/Chicago",
    ),
    ('locale = "en_US"', 'locale = "Klingon"', 5, "invalid", "is not a language; write e.g. en_US"),
    (
        'region = "US-IL"',
        'regoin = "US-IL"',
        4,
        "unknown_key",
        "deployment.regoin is not a setting; see docs/configuration.md",
    ),
    ('region = "US-IL"', 'horizon = "2mo"', 4, "invalid", "has no fixed length"),
    ('region = "US-IL"', 'units = "yards"', 4, "invalid", "deployment.units"),
    ('region = "US-IL"', "policy_seconds = 0", 4, "invalid", "greater than 0"),
    ('name = "Corner Garage"\n', "", 1, "invalid", "deployment.name: Field required"),
    ('title = "Desk"', 'titel = "Desk"', 9, "invalid", "departments.desk.title"),
    (
        'title = "Desk"',
        'title = "Desk"\ncalendar = "hours"',
        11,
        "unknown_calendar",
        "uses the calendar 'hours'; there is none is declared",
    ),
    ("[[channels]]", "[[channel]]", None, "unknown_key", "channel is not a setting"),
    (
        'name = "text"',
        'name = "mail"',
        14,
        "duplicate",
        "two channels are called 'mail'; give one of them another name",
    ),
    ('region = "US-IL"', "region = ", 4, "syntax", "line 4"),
    ('region = "US-IL"', "live_from = 2026-02-30", 4, "syntax", ""),
]


@pytest.mark.parametrize(("old", "new", "line", "code", "words"), CASES, ids=[new or old for old, new, *_ in CASES])
def test_what_is_wrong_is_named_with_its_line(problems, old, new, line, code, words):
    """Each mistake is a problem with file, line, code, and what would be right."""
    found = problems(old, new)
    match = [one for one in found if one[2] == code and words in one[3]]
    assert match, found
    assert match[0][0].endswith("commsched.toml")
    if line is not None:
        assert match[0][1] == line


def test_all_problems_at_once(problems):
    """Whoever mends a file sees everything that is wrong with it."""
    found = problems('timezone = "America/Chicago"\nregion = "US-IL"', 'timezone = "Chicago"\nunits = "yards"\nodd = 1')
    assert len(found) == 3


def test_a_folder_without_a_deployment(tmp_path):
    """Where there is no file, the error says how to get one."""
    with pytest.raises(ConfigurationError, match="run `commsched init DIR`"):
        load_configuration(tmp_path)


def test_a_file_in_another_encoding(deploy):
    """A file that is not UTF-8 is named as such."""
    folder = deploy()
    (folder / FILE).write_bytes(b'[deployment]\nname = "M\xfcller"\n')
    with pytest.raises(ConfigurationError, match=r"not UTF-8 \(byte 22\)"):
        load_configuration(folder)


@pytest.mark.parametrize("name", ["password", "secret", "token"])
def test_a_secret_in_the_file_itself_is_refused(deploy, configuration, name):
    """It would be in every copy and every backup of the configuration."""
    text = configuration + f'\n[[calendars]]\nkind = "ics_url"\n{name} = "hunter2"\n'
    with pytest.raises(ConfigurationError, match=f"{name} must not stand in the file; write env:NAME") as caught:
        load_configuration(deploy({"config/commsched.toml": text}))
    assert "hunter2" not in str(caught.value)


def test_secrets_come_from_outside(deploy, configuration, monkeypatch):
    """A value may stand in the environment or in a file; one that is not there is named."""
    text = configuration.replace('name = "Corner Garage"', 'name = "env:GARAGE"').replace(
        '"US-IL"', '"file:region.txt"'
    )
    folder = deploy({FILE: text, "region.txt": "US-IL\n"})
    with pytest.raises(ConfigurationError, match="the environment variable GARAGE is not set"):
        load_configuration(folder)
    monkeypatch.setenv("GARAGE", "Corner")
    assert load_configuration(folder).deployment.name == "Corner"
    assert load_configuration(folder).deployment.region == "US-IL"
    (folder / "region.txt").unlink()
    with pytest.raises(ConfigurationError, match=r"there is no file region\.txt"):
        load_configuration(folder)


def test_another_store_by_the_environment(deploy, monkeypatch):
    """The environment may put another database in the place of the configured one."""
    monkeypatch.setenv("COMMSCHED_STORE", "sqlite:///elsewhere.db")
    assert load_configuration(deploy()).deployment.store == "sqlite:///elsewhere.db"


def test_lines_of_words():
    """A word is found as a whole, after the words before it."""
    text = "[a]\nbig = 1\n[b]\nbig-one = 2\nbig = 3\n"
    assert (line_of(text, "big"), line_of(text, "b", "big"), line_of(text, "b", "none")) == (2, 5, None)
