"""Whether a call is signed by Twilio: https://www.twilio.com/docs/usage/security.

The signature is over the exact public URL and every parameter of a form, sorted; of any other body the URL carries the
hash. Twilio signs the URL with or without its port, so both count. Stricter than Twilio's own validator, which takes a
JSON body without a hash: here every byte that is read is signed.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from urllib.parse import parse_qs, parse_qsl, urlsplit

from commsched import Forged, WebhookRequest

PORTS = {"https": 443, "http": 80}
MOST_FIELDS = 200
Fields = Sequence[tuple[str, str]]


def checked(request: WebhookRequest, token: str) -> dict[str, str]:
    """The parameters of the form, or of the query where there is none. Raises :class:`Forged`."""
    given = request.headers.get("x-twilio-signature", "")
    fields = _fields(request)
    query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
    if not is_signed(request.url, fields, given, token):
        raise Forged("It is not signed by this Twilio account.")
    return {**query, **dict(fields)} if request.method == "POST" else query


def is_signed(url: str, fields: Fields, given: str, token: str) -> bool:
    """Whether ``given`` is the signature of this URL, with or without the port, and these fields."""
    try:
        said = given.encode("ascii")
        expected = [signature(one, fields, token).encode() for one in _forms(url)]
    except ValueError:
        return False
    # All of them are compared, so that the time tells nothing.
    return any([hmac.compare_digest(said, one) for one in expected])  # noqa: C419


def signature(url: str, fields: Fields, token: str) -> str:
    """As Twilio signs: HMAC-SHA1 of the URL and the fields, each value of each name once, in order."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()


def _fields(request: WebhookRequest) -> Fields:
    """The fields of a form. A body that is none must be the one whose hash the URL carries."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not request.body:
        return []
    if kind == "application/x-www-form-urlencoded":
        try:
            return parse_qsl(
                request.body.decode(),
                keep_blank_values=True,
                strict_parsing=True,
                errors="strict",
                max_num_fields=MOST_FIELDS,
            )
        except ValueError as error:
            raise Forged("Its form cannot be read.") from error
    stated: Mapping[str, list[str]] = parse_qs(urlsplit(request.url).query)
    (hashed,) = stated.get("bodySHA256", [""])[:1]
    if not hmac.compare_digest(hashed.lower().encode(), sha256(request.body).hexdigest().encode()):
        raise Forged("Its body is not the one that was signed.")
    return []


def _forms(url: str) -> Iterator[str]:
    """The URL as it is, without its port, and with the usual one."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
    yield url
    yield parts._replace(netloc=f"{user}{at}{name}").geturl()
    if not port:
        yield parts._replace(netloc=f"{user}{at}{host}:{PORTS.get(parts.scheme, PORTS['https'])}").geturl()
