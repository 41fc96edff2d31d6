"""Lists fit the terminal, say the most important first, and are short where there is much."""

from commsched.cli.commands import plan


def test_the_matrix_has_narrow_columns_and_says_what_they_are(shell):
    """Purposes are shortened and spelt out below; whole words of policies stay whole."""
    text = shell("check", "--matrix").stdout
    assert "mark marketing" in text
    assert "quiet_hours" in text
    assert max(map(len, text.splitlines()[:-2])) <= 100


def test_a_pause_of_what_there_is_not_names_the_nearest_few(shell):
    """With few names all are listed; the error stays short."""
    said = shell("pause", "nosuch", code=2).stderr
    assert "There is all, mail, reminder, service, thanks." in said


def test_a_plan_for_everybody_shows_the_first_and_a_summary(told, monkeypatch):
    """What is left out is counted, and --all shows it."""
    monkeypatch.setattr(plan, "SHOWN", 1)
    arguments = ("plan", "--at", "2027-03-01T17:00:00Z")
    text = told(*arguments).stdout
    assert "… and 1 more; --all, --json or --customer ID shows them." in text
    assert "By rule" in text
    assert "more;" not in told(*arguments, "--all").stdout
    assert len(told.json(*arguments)["messages"]) == 2


def test_a_hold_until_a_date_lasts_that_whole_day(told):
    """A date alone is that whole day, as everywhere."""
    arguments = ("hold", "ana", "--purpose", "sales", "--reason", "away", "--until", "2040-12-15")
    assert "until Sun 16 Dec 2040 00:00 CST" in told(*arguments).stdout
