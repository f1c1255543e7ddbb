"""app.web.label_page: fills the labelling page with words and drawings; knows no volunteer and no picture."""

import json
import re
from html import escape
from importlib import resources
from string import Template

from app.i18n import html_lang
from app.services.credits import credit
from app.web.label_strings import (
    KILN_DRAWINGS,
    OTHER_DRAWINGS,
    drawing_captions,
    page_strings,
    script_strings,
)

FILES = {
    "label.css": "text/css; charset=utf-8",
    "label.js": "text/javascript; charset=utf-8",
    "label.marks.js": "text/javascript; charset=utf-8",
    "label.outbox.js": "text/javascript; charset=utf-8",
}
"""The page's own files and their media types; nothing else of the folder is served under /label/."""


def static_text(name: str) -> str:
    """The text of one of the page's files in `app/static/`."""
    return (resources.files("app") / "static" / name).read_text(encoding="utf-8")


def render_page(*, made_up: bool, years: tuple[int, ...]) -> str:
    """The labelling page in the language in use.

    Args:
        made_up: the project holds a painted scene; the page says so in a banner.
        years: the years of the real imagery in the queue, for the line that names its source.
    """
    words = {name: escape(text) for name, text in page_strings().items()}
    pieces = {
        "lang": escape(html_lang()),
        "drawings": _drawings(),
        "made_up_hidden": "" if made_up else "hidden",
        "credit": escape(_credit(years, made_up=made_up)),
        "kiln_examples": _examples(KILN_DRAWINGS),
        "other_examples": _examples(OTHER_DRAWINGS),
        # "</script>" inside a translation must not end the element
        "script_strings": json.dumps(script_strings()).replace("<", "\\u003c"),
    }
    return Template(static_text("label.html")).substitute(words | pieces)


def _credit(years: tuple[int, ...], *, made_up: bool) -> str:
    parts = [credit(None, True)] if made_up else []
    if years or not made_up:
        span = "–".join(str(year) for year in sorted({min(years), max(years)})) if years else ""
        parts.append(f"{credit(None, False)} {span}".strip())
    return "; ".join(parts)


def _drawings() -> str:
    """The drawings without the editor's comments, ready to stand inside the page."""
    return re.sub(r"<!--.*?-->", "", static_text("label.drawings.svg"), flags=re.DOTALL)


def _examples(names: tuple[str, ...]) -> str:
    captions = drawing_captions()
    use = '<svg viewBox="0 0 120 120" aria-hidden="true"><use href="#{name}"/></svg>'
    return "".join(
        f'<li><div class="pair">{use.format(name=name) * 2}</div><span>{escape(captions[name])}</span></li>'
        for name in names
    )
