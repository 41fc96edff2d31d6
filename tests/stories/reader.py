"""Somebody who opens the links in a message: the pages answer as they would over the network."""

import re
from html import unescape

from litestar.testing import TestClient

from commsched.web.site import site

LINK = re.compile(r"https://[^\s\"<>]+?(/m/[^\s\"<>]+)")


class Reader:
    """Reads a message that went, and presses what is on its pages."""

    def __init__(self, story, message):
        self.message = message
        self.links = LINK.findall(message.body)
        self.client = TestClient(site(story.app))

    @property
    def home(self):
        """The path of the message's own page."""
        return "/".join(self.links[0].split("/")[:3])

    def opens(self, page=""):
        """A page in words, with the status."""
        answer = self.client.get(f"{self.home}{page}")
        return answer.status_code, words(answer.text)

    def presses(self, action, **form):
        """Press a button; the page that follows, in words."""
        answer = self.client.post(f"{self.home}/{action}", data=form, follow_redirects=True)
        assert answer.status_code == 200
        return words(answer.text)


def words(html):
    """A page without its marks, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
