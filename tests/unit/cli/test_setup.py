"""init, check, plugins, doctor."""

from pathlib import Path

import pytest

from commsched.app import App
from commsched.check.run import check
from commsched.cli.commands.init import shipped
from commsched.errors import ConfigurationError
from commsched.store.store import Store


def test_init_copies_the_shipped_deployment(shell, tmp_path):
    """A new deployment has the four folders, ignores var/, and checks clean."""
    target = tmp_path / "new"
    result = shell("init", str(target))
    assert {path.name for path in target.iterdir()} == {"config", "plugins", "templates", "facts", ".gitignore"}
    assert "var/" in (target / ".gitignore").read_text("utf-8")
    assert "commsched demo" in result.stdout
    shell.folder = target
    assert "\nAll well: " in shell("check").stdout


def test_init_leaves_a_folder_with_something_in_it_alone(shell, tmp_path):
    """A folder that is not empty is refused, and stays as it is."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear", "utf-8")
    assert "not empty" in shell("init", str(tmp_path / "mine"), code=2).stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_the_shipped_deployment_is_well():
    """What is shipped has no problem of any kind."""
    report, _ = check(shipped())
    assert report.problems == []


def test_check_tells_the_problems_of_all_parts_at_once(shell):
    """A wrong setting, a wrong rule and a wrong plugin are all told in one go, each with its file."""
    _edit(shell, "config/commsched.toml", 'opens = "08:00"', 'opens = "eight"')
    _edit(shell, "config/rules/thanks.yaml", "purpose: transactional", "purpose: transactionl")
    found = shell.json("check", code=1)
    assert found["ok"] is False
    assert {problem["file"] for problem in found["problems"]} == {"config/commsched.toml", "config/rules/thanks.yaml"}


def test_check_finds_a_template_that_is_not_there(shell):
    """A rule whose template is missing is told with the rule's file and line."""
    _edit(shell, "config/rules/thanks.yaml", "template: thanks", "template: thank-you")
    (problem,) = shell.json("check", code=1)["problems"]
    assert (problem["file"], problem["code"]) == ("config/rules/thanks.yaml", "template_missing")
    assert problem["line"] == 12


def test_check_renders_every_template(shell):
    """A name that the message does not have is found before a customer could."""
    _edit(shell, "templates/thanks/email.txt", "{{ why }}", "{{ asset.colour }}")
    (problem,) = shell.json("check", code=1)["problems"]
    assert problem["file"] == "templates/thanks/email.txt"
    assert problem["code"] == "template_failed"


def test_check_finds_a_language_that_is_missing(shell):
    """Every message exists in every language that the deployment promises."""
    _edit(shell, "config/commsched.toml", 'locale = "en_US"', 'locale = "en_US"\nlocales = ["en_US", "es"]')
    codes = {problem["code"] for problem in shell.json("check", code=1)["problems"]}
    assert codes == {"template_locale"}


def test_check_finds_a_deadline_before_the_ideal(shell):
    """A step whose deadline lies before its ideal time could never go as it is meant."""
    _edit(shell, "config/rules/thanks.yaml", "deadline: event + 20d", "deadline: event + 2h")
    problems = shell.json("check", code=1)["problems"]
    assert any("deadline" in problem["message"] for problem in problems)


def test_check_finds_a_medium_that_no_channel_serves(shell):
    """A step whose media nobody serves could never go."""
    _edit(shell, "config/rules/thanks.yaml", "media: [email]", "media: [letter]")
    assert "no_channel" in {problem["code"] for problem in shell.json("check", code=1)["problems"]}


def test_check_finds_words_that_nobody_declared(shell):
    """A policy for a purpose that does not exist would never speak; that is said, with the nearest."""
    _edit(shell, "config/commsched.toml", 'kind = "opt_out"', 'kind = "opt_out"\npurposes = ["marketting"]')
    (problem,) = shell.json("check", code=1)["problems"]
    assert "did you mean 'marketing'?" in problem["message"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            'by_purpose = { sales = ["ownr"] }',
            "'ownr', which is not among the roles of the vocabulary; did you mean 'owner'? declared are driver, owner",
        ),
        ('by_topic = { tyres = ["owner"] }', "role uses 'tyres', which is not among the topics of the vocabulary;"),
        ('by_purpose = { sails = ["owner"] }', "role uses 'sails', which is not among the purposes of the vocabulary;"),
    ],
)
def test_roles_that_nobody_declared_stop_the_start_up(shell, settings, says):
    """A role that nobody can have would be asked for in vain; the roles that there are are named."""
    text = f'kind = "opt_out"\n\n[[policies]]\nkind = "role"\n{settings}'
    _edit(shell, "config/commsched.toml", 'kind = "opt_out"', text)
    words = shell.folder / "config" / "vocabulary.yaml"
    words.write_text(f"{words.read_text('utf-8').rstrip()}\nroles: [owner, driver]\n", "utf-8")
    (problem,) = shell.json("check", code=1)["problems"]
    assert says in problem["message"]
    with pytest.raises(ConfigurationError, match="not among the"):
        App(shell.folder)


def test_check_finds_a_rule_that_vanished(told):
    """A rule that the store knows and nobody has any more is told; `was` settles it."""
    rules = told.folder / "config" / "rules"
    (rules / "thanks.yaml").rename(rules / "gratitude.yaml")
    _edit(told, "config/rules/gratitude.yaml", "rule: thanks", "rule: gratitude")
    (problem,) = told.json("check", code=1)["problems"]
    assert problem["code"] == "rule_vanished"
    _edit(told, "config/rules/gratitude.yaml", "rule: gratitude", "rule: gratitude\nwas: [thanks]")
    assert told.json("check")["ok"] is True


def test_check_writes_nothing(shell):
    """A check of a new deployment leaves no database behind."""
    shell("check")
    assert not (shell.folder / "var").exists()


def test_a_purpose_that_nothing_holds_back_is_a_note(shell):
    """Without any policy a rule's purpose is named, and that is no problem."""
    path = shell.folder / "config" / "commsched.toml"
    path.write_text(path.read_text("utf-8").partition("[[policies]]")[0], "utf-8")
    result = shell("check")
    assert "Note: no policy applies to messages of the purpose transactional" in result.stdout


def test_the_matrix_shows_who_has_a_say(shell):
    """A policy with a say on some media only has half a circle, and every policy says what it is."""
    rows = {row["policy"]: row for row in shell.json("check", "--matrix")["policies"]}
    assert rows["opt_out"]["cells"]["marketing"] == "●"
    assert rows["quiet_hours"]["cells"]["service"] == "◐"
    assert (rows["opt_out"]["force"], rows["quiet_hours"]["force"]) == ("must not", "could not")


def test_plugins_names_origin_and_file(shell):
    """A deployment's own plugin stands beside the built-in ones, with its file."""
    (shell.folder / "plugins").mkdir()
    (shell.folder / "plugins" / "watch.py").write_text(
        "from commsched import hookimpl\n\n@hookimpl\ndef decided(decision):\n    pass\n", "utf-8"
    )
    rows = shell.json("plugins")["plugins"]
    assert {"origin": "deployment", "what": "hook", "name": "decided", "file": "plugins/watch.py", "does": ""} in rows
    assert ("built-in", "policy", "opt_out") in {(row["origin"], row["what"], row["name"]) for row in rows}


def test_doctor_is_content_with_a_deployment_that_is_well(told):
    """Nobody waits, nothing is in doubt, nothing is stopped."""
    told("tick")
    found = told.json("doctor")
    assert found["ok"] is True


def test_doctor_says_what_to_do(told):
    """A pause is a finding that comes with the command that ends it, and the exit code is 1."""
    told("tick")
    told("pause", "thanks")
    result = told("doctor", code=1)
    assert "commsched resume thanks" in result.stdout


def test_another_store_is_named_by_the_environment(shell, monkeypatch):
    """COMMSCHED_STORE points every command at another database."""
    monkeypatch.setenv("COMMSCHED_STORE", "sqlite:///elsewhere.db")
    shell("import", shell.facts())
    assert (shell.folder / "elsewhere.db").is_file()
    assert not (shell.folder / "var" / "commsched.db").exists()
    Store("sqlite:///elsewhere.db", folder=shell.folder).close()


def _edit(shell, name: str, old: str, new: str) -> None:
    path: Path = shell.folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
