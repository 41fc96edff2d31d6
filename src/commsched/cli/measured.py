"""``--metrics`` as it is typed; what it stands for is loaded only where it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from commsched.web.vitals import Address

LAST_PORT = 65535
metrics_option = click.option(
    "--metrics",
    metavar="[HOST:]PORT",
    help="Serve /metrics, /healthz and /readyz on this port; on 127.0.0.1 unless a HOST is given.",
)


def address_of(text: str | None) -> Address | None:
    """The address that was typed, if one was; a host of IPv6 stands in brackets. Raises :class:`Misuse`."""
    if text is None:
        return None
    from commsched.errors import Misuse
    from commsched.web.vitals import Address

    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (port.isascii() and port.isdigit() and int(port) <= LAST_PORT):
        message = f"--metrics {text}: write a port or HOST:PORT, such as 9464 or 0.0.0.0:9464."
        raise Misuse(message)
    return Address(host or "127.0.0.1", int(port))
