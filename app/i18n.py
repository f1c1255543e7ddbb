"""app.i18n: every string a person reads in the app and its browser pages comes through here.

`_` and `_n` look the text up in the gettext catalogue of the language that KILNLIGHT_LANGUAGE names
(English without one). Values are put in afterwards, so that a translator can move them:
`_("{n} sites").format(n=3)`, never an f-string inside `_()`.
"""

import gettext
import os
import re
from functools import lru_cache
from importlib import resources

DOMAIN = "kilnlight"
DEFAULT_LANGUAGE = "en"
PSEUDO_LANGUAGE = "qps"
"""Wraps every string in ⟦…⟧, so that one that did not pass through gettext stands out in a test.

Placeholders stand outside the brackets: what is put in must be translated by itself."""
OPENING, CLOSING = "⟦", "⟧"


class PseudoTranslations(gettext.NullTranslations):
    """A language made in memory: each string in brackets, its {placeholders} between them."""

    def gettext(self, message: str) -> str:
        """The message in brackets."""
        return _bracketed(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The English singular or plural in brackets."""
        return _bracketed(msgid1 if n == 1 else msgid2)


def _bracketed(message: str) -> str:
    return OPENING + re.sub(r"(\{\w*\})", rf"{CLOSING}\1{OPENING}", message) + CLOSING


def language() -> str:
    """The language in use: KILNLIGHT_LANGUAGE where it looks like a language tag, else English."""
    wanted = os.environ.get("KILNLIGHT_LANGUAGE", "").strip()
    # it becomes part of a path below, so nothing but a tag such as "hi" or "pt_BR" may pass
    return wanted if re.fullmatch(r"[A-Za-z]{2,8}([_-][A-Za-z0-9]{2,8})*", wanted) else DEFAULT_LANGUAGE


@lru_cache(maxsize=8)
def _catalogue(tag: str) -> gettext.NullTranslations:
    if tag == PSEUDO_LANGUAGE:
        return PseudoTranslations()
    folder = resources.files("app") / "locale"
    return gettext.translation(DOMAIN, str(folder), languages=[tag.replace("-", "_")], fallback=True)


def html_lang() -> str:
    """The `lang` attribute for pages: the language in use as a BCP 47 tag."""
    tag = language()
    return DEFAULT_LANGUAGE if tag == PSEUDO_LANGUAGE else tag.replace("_", "-")


def _(message: str) -> str:
    """The message in the language in use; English where the catalogue does not hold it."""
    return _catalogue(language()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form of a message for a count, by the language's own rule for plurals."""
    return _catalogue(language()).ngettext(singular, plural, n)


_n = ngettext
