"""The pages' words: every text in every shipped language, with its variables."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))


@pytest.mark.parametrize("language", ["es", "de", "fr"])
def test_every_text_is_translated(language):
    """No text of a page is missing from a catalogue, none is left over, and each keeps its variables."""
    import re

    import page_texts
    from babel.messages.pofile import read_po

    texts = page_texts.template()
    with (page_texts.WEB / "locale" / f"{language}.po").open("rb") as file:
        known = read_po(file, locale=language)
    assert {one.id for one in known} == {one.id for one in texts}
    assert page_texts.missing(known) == []
    holes = re.compile(r"%\((\w+)\)s|%s")
    for one in known:
        said, told = (one.id, one.string) if isinstance(one.id, str) else (one.id[1], one.string[1])
        assert sorted(holes.findall(said)) == sorted(holes.findall(told)), said
