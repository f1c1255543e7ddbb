"""app.pages.html_table: small tables and lists of facts as plain HTML, for eyes and for screen readers."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

_STYLE = """<style>
.plain { border-collapse: collapse; font-size: .92rem; margin: 0 0 .6rem; }
.plain th, .plain td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; }
.plain tr > * { border-bottom: 1px solid #e4ddd2; }
.plain thead th { color: #5b534c; font-weight: 600; } .plain tbody th { font-weight: 600; }
.wide { overflow-x: auto; }
</style>"""


def draw(columns: Mapping[str, Sequence[str]]) -> None:
    """A table of text; the first column names the rows."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines = []
    for name, *cells in zip(*columns.values(), strict=True):
        rest = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{rest}</tr>')
    body = "".join(lines)
    st.html(
        f'{_STYLE}<div class="wide" tabindex="0"><table class="plain"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Names and values below each other."""
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    st.html(f'<dl class="facts">{pairs}</dl>')
