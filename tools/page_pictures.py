"""Draws the pictures of docs/pages.md: customers' pages at the width of a telephone, in the system's Chromium."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from commsched.testing.stories import Story
from commsched.web.serve import Door, serving

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "img"
PAGES = {"page-home": "", "page-reschedule": "/reschedule", "page-verify": "/verify"}
LINK = re.compile(r"/m/[^\s/]+")
BOUGHT = "2023-11-01 10:00"


def told(scratch: Path) -> tuple[Story, str]:
    """Somebody with an appointment who was told so by text, and the path of the message's page."""
    story = Story(ROOT, scratch, "2026-12-01 09:00")
    story.given("customer", id="C1", name="Ana Ortiz", kind="person", region="US-IL", at=BOUGHT)
    story.given("contact_point", customer="C1", kind="phone", address="+13125550164", media=["sms"], at=BOUGHT)
    story.given("asset", customer="C1", id="V1", kind="car", model="Ford Escape", in_use=True, at=BOUGHT)
    story.given("preference", customer="C1", media=["sms"])
    times = {"start": "2026-12-15 09:00", "end": "2026-12-15 09:45"}
    who = {"customer": "C1", "asset": "V1", "booked_by": "customer", "stated_by": "customer"}
    story.given("appointment", id="A1", service="oil_change", status="booked", **who, **times)
    story.until("2026-12-02 09:00")
    found = LINK.search(story.sent(rule="appointment-reminders", step="confirmation").body)
    if found is None:
        raise SystemExit("the message has no link; is there a public_url?")
    return story, found[0]


def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory() as scratch:
        story, home = told(Path(scratch))
        with serving(story.app, Door(port=0)) as port, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 390, "height": 780})
            for name, path in PAGES.items():
                page.goto(f"http://127.0.0.1:{port}{home}{path}")
                page.screenshot(path=IMAGES / f"{name}.png")
                print(f"wrote docs/img/{name}.png")
            browser.close()


if __name__ == "__main__":
    main()
