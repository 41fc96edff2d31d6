"""A real browser, and axe in it: the accessibility rules of WCAG, checked on the pages as they are shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 360, "height": 740}
NO_BROWSER = "" if CHROMIUM else "there is no Chromium here (Debian package chromium; tools/test-services installs it)"
NO_AXE = "" if AXE.is_file() else "axe-core is not here (npm package; tools/test-services installs it)"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Its own sandbox needs what containers do not give; it only sees pages of ours."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page: the rule and where. Scripts are evaluated from outside; the page has none."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        f"() => axe.run(document, {{runOnly: {{type: 'tag', values: {json.dumps(RULES)}}}}}).then(r => r.violations)"
    )
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]
