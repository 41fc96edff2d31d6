"""Loading plugins: what stops the start-up is named with file and line; observers disturb nobody."""

from __future__ import annotations

import pytest

from commsched.app import App
from commsched.errors import ConfigurationError
from commsched.loading import load_plugins

POLICY = """\
from commsched import NoSettings, Policy, Settings, allow, could_not, hookimpl


class OneSettings(Settings):
    limit: int = 3


class One(Policy[OneSettings]):
    kind = "one"
    code = could_not("one")
    depends = {"facts"}

    def review(self, proposal, view):
        return allow()


"""
REGISTER = "@hookimpl\ndef register_policies():\n    return [One]\n"


@pytest.fixture
def problem(deploy, configuration):
    """Loads the deployment with a plugin file and something added to its configuration: the first problem."""

    def found(plugin, added="", name="mine.py"):
        folder = deploy({f"plugins/{name}": plugin, "config/commsched.toml": configuration + added})
        with pytest.raises(ConfigurationError) as caught:
            App(folder)
        return caught.value.problems[0]

    return found


@pytest.mark.parametrize(
    ("plugin", "line", "code", "words"),
    [
        ("x = 1\ny = (\n", 2, "plugin", "SyntaxError"),
        ("import os\nimport nonesuch\n", 2, "plugin", "No module named 'nonesuch'"),
        ("def f():\n    return 1 / 0\n\nf()\n", 2, "plugin", "ZeroDivisionError"),
        ("from commsched import Chanel\n", 1, "plugin", "Chanel"),
        (
            POLICY + "@hookimpl\ndef register_policys():\n    return [One]\n",
            None,
            "unknown_hook",
            "did you mean register_policies?",
        ),
        (POLICY + "@hookimpl\ndef zzz():\n    return [One]\n", None, "unknown_hook", "there is attempted,"),
        (
            POLICY + "@hookimpl\ndef register_policies():\n    return [1 / 0]\n",
            19,
            "plugin",
            "register_policies failed: ZeroDivisionError",
        ),
        (POLICY + "@hookimpl\ndef register_policies():\n    return One\n", None, "plugin", "register_policies"),
        (
            POLICY + "@hookimpl\ndef register_policies():\n    return [int]\n",
            None,
            "plugin",
            "must return classes of Policy with a kind",
        ),
        (
            POLICY + "@hookimpl\ndef register_channels():\n    return [One]\n",
            None,
            "plugin",
            "must return classes of Channel with a kind",
        ),
        (
            POLICY.replace('kind = "one"', 'kind = "opt_out"') + REGISTER,
            None,
            "duplicate",
            "'opt_out' is registered by commsched.builtin",
        ),
    ],
)
def test_a_broken_plugin_stops_the_start(problem, plugin, line, code, words):
    """A file that does not work stops the start-up, with its name, the line in it, and what is wrong."""
    found = problem(plugin)
    assert (found.file, found.code) == ("plugins/mine.py", code)
    assert words in found.message
    if line is not None:
        assert found.line == line


@pytest.mark.parametrize(
    ("added", "code", "words"),
    [
        ('kind = "won"', "unknown_kind", "there is no policy of the kind 'won'; did you mean 'one'?"),
        ('kind = "mail"', "unknown_kind", "there is no policy of the kind 'mail'"),
        ('kind = "one"\nlimt = 5', "unknown_setting", "one has no setting 'limt'; its settings: limit"),
        ('kind = "one"\nname = "mine"\nlimit = "many"', "invalid", "mine.limit: Input should be a valid integer"),
    ],
)
def test_settings_that_do_not_fit(problem, added, code, words):
    """An instance with a wrong kind or setting is named as it is called in the configuration."""
    found = problem(POLICY + REGISTER, f"\n[[policies]]\n{added}\n")
    assert (found.file, found.code) == ("config/commsched.toml", code)
    assert words in found.message


def test_an_instance_that_cannot_be_set_up(problem):
    """A plugin that fails when it is made is named, with its own words."""
    failing = POLICY.replace(
        "    def review", "    def __init__(self, *_, **__):\n        raise OSError('no key')\n\n    def review"
    )
    found = problem(failing + REGISTER, '\n[[policies]]\nkind = "one"\n')
    assert found.message == "the policy one could not be set up: no key"


def test_two_files_with_the_same_kind(deploy):
    """Two plugins of one kind stop the start-up, and each other's name is told."""
    with pytest.raises(
        ConfigurationError, match=r"plugins/b\.py: the policy kind 'one' is registered by plugins/a\.py already"
    ):
        load_plugins(deploy({"plugins/a.py": POLICY + REGISTER, "plugins/b.py": POLICY + REGISTER}))


OBSERVER = """\
from commsched import hookimpl

heard = []

@hookimpl
def received(event):
    heard.append(event)
    raise ValueError("oh")
"""


def test_an_observer_that_fails_is_named_and_the_others_hear(deploy, store, fact):
    """One that raises takes nothing with it: the fact is durable, the next one hears, the failure is kept."""
    folder = deploy({"plugins/a.py": OBSERVER, "plugins/b.py": OBSERVER})
    app = App(folder, store=store)
    assert len(app.record([("c:ann", fact("customer", name="Ann"))])) == 1
    assert app.plugins.failed_observers == {
        "plugins/a.py.received": "ValueError: oh",
        "plugins/b.py.received": "ValueError: oh",
    }
    modules = dict(app.plugins.manager.list_name_plugin())
    assert [len(modules[f"plugins/{name}.py"].heard) for name in "ab"] == [1, 1]


def test_the_order_of_loading(deploy):
    """Built-in plugins come first, then a deployment's files by name; hooks are called in that order."""
    extra = "from commsched import hookimpl\n\n@hookimpl\ndef extra_facts(facts):\n    return [__name__]\n"
    plugins = load_plugins(deploy({"plugins/b.py": extra, "plugins/a.py": extra}))
    assert [one(()) for one in plugins.functions("extra_facts")] == [["commsched_plugins.a"], ["commsched_plugins.b"]]
    assert list(plugins.origins.values())[-2:] == ["deployment", "deployment"]
    assert plugins.origins["commsched.builtin.policies.opt_out"] == "built-in"
