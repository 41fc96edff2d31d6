"""SendGrid's signatures: ECDSA (P-256, SHA-256) over the timestamp and the bytes as they came.

Of events and of mail that came in alike:
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/securing-your-parse-webhooks.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable

from commsched import Forged, WebhookRequest, library

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"


def checker(text: str) -> Callable[[WebhookRequest], None]:
    """The check of a call by this key. Raises :class:`Forged`."""
    serialization = library("cryptography.hazmat.primitives.serialization", "sendgrid")
    hashes = library("cryptography.hazmat.primitives.hashes", "sendgrid")
    ec = library("cryptography.hazmat.primitives.asymmetric.ec", "sendgrid")
    wrong = library("cryptography.exceptions", "sendgrid").InvalidSignature
    key = serialization.load_der_public_key(b64decode(text))

    def check(request: WebhookRequest) -> None:
        signature = request.headers.get(SIGNATURE, "")
        signed = request.headers.get(TIMESTAMP, "").encode() + request.body
        try:
            key.verify(b64decode(signature, validate=True), signed, ec.ECDSA(hashes.SHA256()))
        except (wrong, ValueError) as error:
            raise Forged("It is not signed by SendGrid.") from error

    return check
