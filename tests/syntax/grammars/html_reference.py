"""A checker of HTML documents on top of Python's html.parser: an oracle for the bundled grammar.

html.parser finds tags in anything, so `accepts(text)` checks what it reports: a document type, end tags that match, elements where the
content model of HTML's living standard allows them, known attributes and references, no repeated attribute, no bare `&`, `<` or `>`.
"""

from __future__ import annotations

import html.entities
from html.parser import HTMLParser

VOID = set("meta br hr img".split())
BLOCKS = set("h1 h2 h3 p pre div section article blockquote table ul ol hr".split())
PHRASES = set("a em strong code span sub sup br img".split())
TEXT = "text"
# What each element may hold: text means characters other than white space.
CONTENT: dict[str, set[str]] = {
    "": {"html"},
    "html": {"head", "body"},
    "head": {"title", "meta"},
    "title": {TEXT},
    "caption": {TEXT, *PHRASES},
    "table": {"caption", "tr"},
    "tr": {"th", "td"},
    "ul": {"li"},
    "ol": {"li"},
    "li": {TEXT, *PHRASES, *BLOCKS},
    **dict.fromkeys(("body", "div", "section", "article", "blockquote"), BLOCKS),
    **{name: {TEXT, *PHRASES} for name in ("h1", "h2", "h3", "p", "pre", "th", "td", *PHRASES - VOID)},
}
GLOBAL_ATTRIBUTES = {"class", "lang", "title"}
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "meta": {"charset", "name", "content"}}


class Refused(Exception):
    """The document breaks a rule."""


def accepts(text: str) -> bool:
    """Whether the text is a document of the elements above, nested as they may be."""
    checker = Checker()
    try:
        checker.feed(text)
        if checker.rawdata:
            return False  # an unfinished tag
        checker.close()
        return not checker.open and checker.finished
    except Refused:
        return False


class Checker(HTMLParser):
    """The elements that are open, from the outside in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.children: list[list[str]] = [[]]
        self.typed = self.finished = False

    def handle_decl(self, decl: str) -> None:
        if decl.lower() != "doctype html" or self.typed or self.children[0]:
            raise Refused(decl)
        self.typed = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self.open[-1] if self.open else ""
        if not self.typed or tag not in CONTENT[parent] or (tag == "a" and "a" in self.open) or self.finished:
            raise Refused(tag)
        if tag in ("head", "body", "caption", "title", "html") and tag in self.children[-1]:
            raise Refused(f"a second {tag}")
        if (tag == "body" and "head" not in self.children[-1]) or (tag == "caption" and self.children[-1]):
            raise Refused(f"{tag} in a wrong place")
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names) or not set(names) <= GLOBAL_ATTRIBUTES | ATTRIBUTES.get(tag, set()):
            raise Refused(str(names))
        if (tag == "img" and not {"src", "alt"} <= set(names)) or any(value is None for _, value in attrs):
            raise Refused(str(names))
        if "<" in (self.get_starttag_text() or "")[1:].split(" ")[0]:
            raise Refused(tag)
        self.children[-1].append(tag)
        if tag not in VOID:
            self.open.append(tag)
            self.children.append([])

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            raise Refused(tag)
        children = self.children.pop()
        if (tag == "html" and children != ["head", "body"]) or (tag == "head" and "title" not in children):
            raise Refused(f"{tag} without its parts")
        if tag == "tr" and not children:
            raise Refused("an empty row")
        self.open.pop()
        self.finished = tag == "html"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise Refused(tag)

    def handle_data(self, data: str) -> None:
        if any(character in data for character in "&<>"):
            raise Refused(data)
        if data.strip(" \t\r\n") and TEXT not in CONTENT[self.open[-1] if self.open else ""]:
            raise Refused(data)

    def handle_entityref(self, name: str) -> None:
        if name + ";" not in html.entities.html5 or TEXT not in CONTENT[self.open[-1] if self.open else ""]:
            raise Refused(name)

    def handle_charref(self, name: str) -> None:
        if not name.isdigit() or TEXT not in CONTENT[self.open[-1] if self.open else ""]:
            raise Refused(name)

    def handle_comment(self, data: str) -> None:
        raise Refused(data)

    def handle_pi(self, data: str) -> None:
        raise Refused(data)

    def unknown_decl(self, data: str) -> None:
        raise Refused(data)
