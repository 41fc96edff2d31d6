"""An appointment as a file for the customer's own calendar (RFC 5545), which a later one with the same UID updates."""

from __future__ import annotations

from hashlib import blake2b

import icalendar

from commsched.plugin.base import OURS
from commsched.render.formats import Language
from commsched.web.letters import Letter
from commsched.web.texts import service_name

_STATUS = {"proposed": "TENTATIVE", "cancelled": "CANCELLED"}


def calendar_file(letter: Letter, organisation: str, tongue: Language) -> bytes | None:
    """The file; ``None`` if the message is about no appointment.

    The UID is always the same and says nothing of anybody; the sequence grows with every change that we know of.
    """
    standing, matter = letter.appointment, letter.matter
    if standing is None or matter is None:
        return None
    known = f"{letter.message.customer}/{standing.id}".encode()
    event = icalendar.Event()
    event.add("uid", blake2b(known, digest_size=16, person=b"customer's").hexdigest() + OURS)
    event.add("dtstamp", letter.now)
    event.add("sequence", int(max(standing.moved_at, standing.status_at).timestamp()) % 2**31)
    event.add("dtstart", standing.start)
    event.add("dtend", standing.end or standing.start + matter.service.duration)
    event.add("summary", f"{service_name(letter.world, matter.service, tongue)}, {organisation}")
    event.add("status", _STATUS.get(standing.status, "CONFIRMED"))
    if letter.department is not None and letter.department.postal:
        event.add("location", letter.department.postal)
    document = icalendar.Calendar()
    document.add("prodid", "-//commsched//customers' pages//EN")
    document.add("version", "2.0")
    document.add("method", "CANCEL" if standing.status == "cancelled" else "PUBLISH")
    document.add_component(event)
    return bytes(document.to_ical())
