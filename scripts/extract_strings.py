"""Collects every string that goes through gettext, and turns translations into what the app reads.

    python scripts/extract_strings.py                 # writes app/locale/kilnlight.pot
    python scripts/extract_strings.py --check         # exit code 1 where the .pot is out of date
    python scripts/extract_strings.py --start hi      # a new language, or one brought up to date
    python scripts/extract_strings.py --compile       # every .po becomes a .mo

Needs Babel (in the extra `test`). How to translate: docs/translating.md.
"""

import argparse
import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "app" / "locale"
TEMPLATE = LOCALE / "kilnlight.pot"
# `_n` and `ngettext` take a singular and a plural
KEYWORDS = {"_": None, "_n": (1, 2), "ngettext": (1, 2)}


def collected() -> Catalog:
    """All messages of `app/`, sorted, with the files but not the lines they stand in (fewer changes)."""
    catalogue = Catalog(project="kilnlight", fuzzy=False, charset="utf-8")
    found = extract_from_dir(ROOT / "app", [("**.py", "python")], keywords=KEYWORDS, comment_tags=("i18n:",))
    for name, _line, message, comments, context in found:
        catalogue.add(message, locations=[(f"app/{name}", 0)], auto_comments=comments, context=context)
    return catalogue


def template_text() -> str:
    """The text of the .pot without dates, so that the same strings give the same bytes."""
    out = io.BytesIO()
    write_po(out, collected(), sort_output=True, omit_header=True, include_lineno=False, width=100)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    return header + out.getvalue().decode("utf-8")


def start(language: str) -> Path:
    """Begin a language, or bring one up to date without losing a translation."""
    path = LOCALE / language / "LC_MESSAGES" / "kilnlight.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        catalogue = read_po(io.BytesIO(path.read_bytes()), locale=language)
    else:
        catalogue = Catalog(locale=language, project="kilnlight", charset="utf-8", fuzzy=False)
    catalogue.update(collected(), no_fuzzy_matching=True)
    with path.open("wb") as out:
        write_po(out, catalogue, sort_output=True, include_lineno=False, width=100)
    return path


def compile_all() -> list[Path]:
    """Write the .mo beside every .po."""
    written = []
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/kilnlight.po")):
        catalogue = read_po(io.BytesIO(source.read_bytes()), locale=source.parents[1].name)
        target = source.with_suffix(".mo")
        with target.open("wb") as out:
            write_mo(out, catalogue)
        written.append(target)
    return written


def main() -> int:
    """Do what the command line asks for; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only tell whether the .pot is up to date")
    parser.add_argument("--start", metavar="LANGUAGE", help="begin a language or bring it up to date")
    parser.add_argument("--compile", action="store_true", help="write the .mo files")
    asked = parser.parse_args()
    text = template_text()
    if asked.check:
        if TEMPLATE.is_file() and TEMPLATE.read_text(encoding="utf-8") == text:
            return 0
        print(
            f"{TEMPLATE.relative_to(ROOT)} is out of date; run python scripts/extract_strings.py",
            file=sys.stderr,
        )
        return 1
    TEMPLATE.write_text(text, encoding="utf-8")
    for path in [*([start(asked.start)] if asked.start else []), *(compile_all() if asked.compile else [])]:
        print(path.relative_to(ROOT))
    print(f"{text.count('msgid') - 1} strings in {TEMPLATE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
