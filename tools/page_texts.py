"""Bring the catalogues of the customers' pages in line with their texts; with ``--check``, only say what is missing."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

WEB = Path(__file__).resolve().parents[1] / "src" / "commsched" / "web"
METHODS = [("**.py", "python"), ("pages/**.html", "jinja2")]


def template() -> Catalog:
    """Every text that the pages say."""
    found = Catalog(project="commsched", header_comment="# The words of the customers' pages.")
    options = {"pages/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
    for _file, _line, text, _comments, context in extract_from_dir(str(WEB), METHODS, options_map=options):
        found.add(text, context=context)
    return found


def updated(path: Path, texts: Catalog) -> Catalog:
    """A catalogue with all of the texts, and no others."""
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.stem)
    catalogue.update(texts, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return catalogue


def missing(catalogue: Catalog) -> list[str]:
    """The texts that have no translation yet."""
    empty = [one for one in catalogue if one.id and not (all(one.string) if one.pluralizable else one.string)]
    return [one.id if isinstance(one.id, str) else one.id[0] for one in empty]


def main() -> int:
    """Update or check all catalogues; 1 if a text lacks its translation."""
    texts, lacking = template(), 0
    for path in sorted((WEB / "locale").glob("*.po")):
        catalogue = updated(path, texts)
        for text in missing(catalogue):
            print(f"{path.name}: no translation of {text!r}")
            lacking = 1
        written = BytesIO()
        write_po(written, catalogue, width=118, sort_output=True, omit_header=True)
        if "--check" in sys.argv[1:]:
            if {one.id for one in read_po(path.open("rb"), locale=path.stem)} != {one.id for one in catalogue}:
                print(f"{path.name}: not in line with the pages. Run: python tools/page_texts.py")
                lacking = 1
        else:
            path.write_bytes(written.getvalue())
    return lacking


if __name__ == "__main__":
    sys.exit(main())
