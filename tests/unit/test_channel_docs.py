"""What docs/channels.md shows is true: each configuration makes its channel, and no bundled kind is missing."""

from __future__ import annotations

import re
import tomllib
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from commsched import Channel
from commsched.app import App
from commsched.cli.skeletons import skeleton
from commsched.config import FILE, load_configuration
from commsched.loading import load_plugins
from commsched.timing.civil import zone

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/channels.md").read_text("utf-8")
BLOCKS = {
    tomllib.loads(block)["channels"][0]["kind"]: block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
}
PUBLIC = ec.generate_private_key(ec.SECP256R1()).public_key()
FORM = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
# Keys that check signatures are nobody's secret.
PUBLIC_KEYS = {"SENDGRID_WEBHOOK_KEY", "SENDGRID_PARSE_KEY"}
SECRETS = {
    "TWILIO_AUTH_TOKEN": "a-token-of-twilio",
    "SENDGRID_API_KEY": "SG.a-key-of-sendgrid",
    "SENDGRID_WEBHOOK_KEY": b64encode(PUBLIC.public_bytes(*FORM)).decode(),
    "SENDGRID_PARSE_KEY": b64encode(PUBLIC.public_bytes(*FORM)).decode(),
    "SMTP_PASSWORD": "a-password-of-ours",
    "WEBHOOK_SECRET": "a-secret-of-webhooks",
    "APPRISE_URL": "ntfys://ntfy.example.org/{to}",
}


def test_every_bundled_kind_has_its_configuration_shown():
    """A section each, with a block to copy."""
    kinds = {name for (what, name), kind in load_plugins(ROOT / "docs").kinds.items() if what == "channel"}
    assert BLOCKS.keys() == kinds
    assert all(f"### {kind}\n" in PAGE for kind in kinds)


@pytest.mark.parametrize("kind", sorted(BLOCKS))
def test_what_is_shown_makes_the_channel(deploy, configuration, monkeypatch, kind):
    """In a deployment whose other channels are gone; no secret shows, and none may stand in the file."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    before, _, after = configuration.partition("[[channels]]")
    folder = deploy({str(FILE): f"{before}{BLOCKS[kind]}\n[[policies]]{after.partition('[[policies]]')[2]}"})
    (declared,) = load_configuration(folder).channels
    made = load_plugins(folder).make(Channel, declared, folder, zone("America/Chicago"))
    assert made.kind == kind
    hidden = (secret for name, secret in SECRETS.items() if name not in PUBLIC_KEYS)
    assert not any(secret in repr(made.settings) for secret in hidden)


@pytest.mark.parametrize("name", ["api_key", "auth_token", "password", "secret", "service_url", "token"])
def test_no_secret_may_stand_in_the_configuration(deploy, configuration, name):
    """The error says where to put it, and not what it is."""
    folder = deploy({str(FILE): f'{configuration}\n[[channels]]\nname = "x"\nkind = "smtp"\n{name} = "hunter2"\n'})
    with pytest.raises(Exception, match="must not stand in the file") as error:
        App(folder)
    assert "hunter2" not in str(error.value)


def test_the_example_is_what_plugin_new_writes():
    """And tests/unit/cli/test_plugin_new.py runs it."""
    assert all(f"```python\n{text.rstrip()}\n```" in PAGE for text in skeleton("channel", "gateway").values())
