"""No text that a person reads stands bare in a page: all of it goes through gettext."""

import ast
import gettext
import importlib.util
import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

import app

APP = Path(app.__file__).parent
ROOT = APP.parent
PAGES = sorted((APP / "pages").glob("*.py"))
WORDY_KEYWORDS = {"label", "help", "placeholder", "body", "caption", "title", "page_title", "text"}
SHOWS_TEXT = set(
    "button caption checkbox date_input dialog download_button error expander form_submit_button header info"
    " link_button markdown metric multiselect number_input pills popover radio segmented_control selectbox"
    " set_page_config slider spinner status subheader success tabs text text_area text_input title toast"
    " toggle warning write".split()
)


def words_in(node: ast.expr) -> bool:
    """True for a bare literal with a word in it; names, calls and pure formatting pass."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and re.search(r"[A-Za-z]{2}", node.value) is not None
    if isinstance(node, ast.JoinedStr):
        return any(words_in(part) for part in node.values)
    if isinstance(node, ast.List | ast.Tuple):
        return any(words_in(part) for part in node.elts)
    if isinstance(node, ast.BinOp):
        return words_in(node.left) or words_in(node.right)
    if isinstance(node, ast.IfExp):
        return words_in(node.body) or words_in(node.orelse)
    return False


def bare_texts(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr not in SHOWS_TEXT:
            continue
        shown = [*node.args[:1], *(k.value for k in node.keywords if k.arg in WORDY_KEYWORDS)]
        for argument in shown:
            if words_in(argument):
                yield f"line {node.lineno}: {ast.unparse(argument)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_show_no_bare_text(page: Path) -> None:
    assert list(bare_texts(page.read_text(encoding="utf-8"))) == []


def test_the_check_finds_bare_text() -> None:
    source = 'st.title("Map")\nst.caption(f"{n} sites")\nst.button(_("Go"), help="Why")\nst.write(f"**{n}**")'
    assert len(list(bare_texts(source))) == 3


class Texts(HTMLParser):
    """Collects what a person could read or hear of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"script", "style"}
        spoken = {"alt", "title", "aria-label", "placeholder", "aria-description"}
        self.found += [value or "" for name, value in attrs if name in spoken]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)


@pytest.mark.parametrize("page", sorted((APP / "static").glob("*.html")), ids=lambda path: path.name)
def test_browser_pages_hold_placeholders_only(page: Path) -> None:
    reader = Texts()
    reader.feed(page.read_text(encoding="utf-8"))
    left = [re.sub(r"\$\{\w+\}", "", text) for text in reader.found]
    assert [text for text in left if re.search(r"[A-Za-z]{2}", text)] == []


@pytest.mark.parametrize("script", sorted((APP / "static").glob("*.*js")), ids=lambda path: path.name)
def test_browser_scripts_hold_no_sentence(script: Path) -> None:
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", script.read_text(encoding="utf-8"), flags=re.DOTALL)
    literals = re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`", text)
    flat = ["".join(parts) for parts in literals]
    sentences = [found for found in flat if re.fullmatch(r"[A-Z][a-z]+( [\w’,.…{}$-]+)+", found)]
    assert [found for found in sentences if "sans-serif" not in found] == []


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("extract_strings", ROOT / "scripts" / "extract_strings.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_translation_goes_from_source_to_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = load_script()
    monkeypatch.setattr(script, "LOCALE", tmp_path)
    po = script.start("de")
    text = po.read_text(encoding="utf-8")
    assert 'msgid "No kiln"\nmsgstr ""' in text
    po.write_text(
        text.replace('msgid "No kiln"\nmsgstr ""', 'msgid "No kiln"\nmsgstr "Kein Ofen"'), encoding="utf-8"
    )
    script.start("de")
    script.compile_all()
    catalogue = gettext.translation("kilnlight", str(tmp_path), languages=["de"])
    assert catalogue.gettext("No kiln") == "Kein Ofen"
    assert catalogue.gettext("Undo") == "Undo"


def test_every_placeholder_can_be_filled() -> None:
    """A translator sees the same {names} that the code fills in."""
    for message in load_script().collected():
        forms = message.id if isinstance(message.id, tuple) else (message.id,)
        for form in forms:
            assert all(
                name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(form)
            ), form
