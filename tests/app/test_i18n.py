import gettext

import pytest

from app import i18n
from app.i18n import _, _n


def test_english_without_a_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KILNLIGHT_LANGUAGE", raising=False)
    assert _("Map") == "Map"
    assert _n("{n} site", "{n} sites", 1) == "{n} site"
    assert _n("{n} site", "{n} sites", 2) == "{n} sites"


def test_the_pseudo_language_marks_every_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILNLIGHT_LANGUAGE", "qps")
    assert _("Map") == "⟦Map⟧"
    assert _n("{n} site", "{n} sites", 5).format(n=5) == "⟦⟧5⟦ sites⟧"
    assert i18n.html_lang() == "en"


@pytest.mark.parametrize("value", ["", "xx", "../../etc", "de\n", "a" * 99])
def test_a_language_without_a_catalogue_falls_back_to_english(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("KILNLIGHT_LANGUAGE", value)
    assert _("Map") == "Map"


def test_a_change_of_language_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILNLIGHT_LANGUAGE", "qps")
    assert _("Map") == "⟦Map⟧"
    monkeypatch.setenv("KILNLIGHT_LANGUAGE", "en")
    assert _("Map") == "Map"
    assert isinstance(i18n._catalogue("en"), gettext.NullTranslations)
