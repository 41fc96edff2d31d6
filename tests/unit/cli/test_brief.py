"""brief and facts on the command line; the page itself is told in stories 20 and 22."""


def test_a_brief_is_one_page_and_masks_addresses(told):
    """Name, how to reach them (masked), what may be raised and what may not; an unknown customer is misuse."""
    text = told("brief", "ben").stdout
    assert text.startswith("Ben Okafor (ben); it is ")
    assert "b…@example.com" in text
    assert "ben@example.com" not in text
    assert "opt_out" in text
    assert len(text.splitlines()) <= 24
    assert "Did you mean ben?" in told("brief", "bem", code=2).stderr


def test_a_brief_for_tools_has_an_answer_for_each_purpose(told):
    """Every purpose is allowed or not, with when and why."""
    found = told.json("brief", "ben")
    assert found["may"]["sales"]["allowed"] is False
    assert found["may"]["sales"]["reasons"][0]["code"] == "opt_out"
    assert set(found["may"]) >= {"service", "sales", "marketing", "survey", "collections", "safety"}


def test_facts_names_both_lists(told):
    """What the rules read and nobody records is listed with who reads it, for people and for tools."""
    found = told.json("facts")
    assert found["facts"] == 7
    assert "consent" not in {one["name"] for one in found["unread"]}
    assert "event purchase" not in {one["name"] for one in found["unread"] + found["unrecorded"]}
    assert "7 facts looked at." in told("facts").stdout
