"""The pages of policies are made from the code: one for each that comes along, and an index."""

from __future__ import annotations

from pathlib import Path

import sample_tools

TOOL = sample_tools.load("policy_pages")
FOLDER = Path(__file__).parents[2] / "docs" / "policies"


def made():
    return TOOL.pages(lambda model: f"{len(model.model_fields)} settings\n")


def test_every_bundled_policy_has_a_page_and_nothing_else_has():
    """The folder holds the index and one page a kind; each is in the index."""
    found = made()
    assert {path.name for path in FOLDER.glob("*.md")} == set(found)
    assert set(found) == {"README.md", *(f"{kind}.md" for kind in TOOL.bundled())}
    assert all(f"({name})" in found["README.md"] for name in found if name != "README.md")


def test_a_page_has_what_the_code_says():
    """Docstring with its example, code and force, dependence, settings, and the shipped configuration word for word."""
    page = made()["hold.md"]
    assert page.startswith("# `hold`\n\nWhat somebody put on hold")
    assert '```toml\n[[policies]]\nkind = "hold"\n```' in page
    assert "| code | `hold` |" in page
    assert "must not: a veto" in page
    assert "| depends on | facts, time |" in page
    assert "0 settings" in page
    assert '[[policies]] # What a colleague has put on hold, every department leaves alone.\nkind = "hold"' in page


def test_each_instance_of_a_kind_is_shown():
    """A kind that the shipped deployment uses twice is shown twice; what stands around it in the file is not."""
    page = made()["quiet_hours.md"]
    assert page.count('kind = "quiet_hours"') == 3
    assert "business_hours" not in page
