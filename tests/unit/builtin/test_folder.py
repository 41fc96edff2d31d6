"""The folder source: files of facts in order, moved aside when they are safe."""

from __future__ import annotations

import pytest

from commsched import CommschedError
from commsched.builtin.sources.folder import Folder, FolderSettings


@pytest.fixture
def source(tmp_path):
    """A source that reads the folder `inbox`."""
    (tmp_path / "inbox").mkdir()
    return Folder(FolderSettings(), name="dms", folder=tmp_path)


def test_files_come_in_the_order_of_their_names(source, tmp_path):
    """Every `.jsonl` file is a batch of its lines; other files and folders are left alone."""
    for name in ("2.jsonl", "1.jsonl", "export.tmp"):
        (tmp_path / "inbox" / name).write_text(f"{name}\nsecond\n")
    (tmp_path / "inbox" / "odd.jsonl").mkdir()
    read = [(name, list(lines)) for name, lines in source.read()]
    assert read == [("1.jsonl", [b"1.jsonl\n", b"second\n"]), ("2.jsonl", [b"2.jsonl\n", b"second\n"])]


def test_what_was_taken_moves_aside(source, tmp_path):
    """A file whose facts are safe is read no more, and does not push out an earlier one of the same name."""
    for text in ("old", "new", "newest"):
        (tmp_path / "inbox" / "1.jsonl").write_text(text)
        source.taken("1.jsonl")
    done = {path.name: path.read_text() for path in (tmp_path / "inbox/done").iterdir()}
    assert done == {"1.jsonl": "old", "1-2.jsonl": "new", "1-3.jsonl": "newest"}
    assert list(source.read()) == []


def test_a_missing_folder_is_made(tmp_path):
    """On a new deployment there is nothing yet, and a place to put it."""
    assert list(Folder(FolderSettings(path="drop"), name="dms", folder=tmp_path).read()) == []
    assert (tmp_path / "drop").is_dir()


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path):
    """A file in the folder's place is named in the error."""
    (tmp_path / "inbox").write_text("in the way")
    with pytest.raises(CommschedError, match="source dms cannot read"):
        list(Folder(FolderSettings(), name="dms", folder=tmp_path).read())
