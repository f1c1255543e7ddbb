"""app.pages.plain: messages and names as they are, where Streamlit reads Markdown."""

import re

_MARKS = re.compile(r"([\\`*_\[\]<>#|~$:^])")


def plain(text: str) -> str:
    """The text with a backslash before every sign that Markdown might take for its own."""
    return _MARKS.sub(r"\\\1", text)
