"""app.services.words: the words for verdicts, events and figures, the same on page, print and export."""

from collections.abc import Mapping
from datetime import datetime

from app.i18n import _
from geodata.store.records import HistoryEntry, Site


def verdict_words() -> Mapping[str, str]:
    """What a person reads for each object verdict; `none` stands for no verdict yet."""
    return {
        "none": _("Not reviewed"),
        "kiln": _("Kiln"),
        "not_kiln": _("Not a kiln"),
        "gone": _("Gone"),
        "unsure": _("Unsure"),
    }


def coverage_words() -> Mapping[str, str]:
    """What a person reads for each state of a tile."""
    return {
        "kiln": _("Possible kiln in this tile"),
        "none": _("Observed, nothing found"),
        "not_observed": _("Not observed"),
    }


def share(value: float | None) -> str:
    """A share as a whole percentage; never 0 % or 100 %, which would claim certainty."""
    if value is None:
        return _("not known")
    if value < 0.005:
        return _("under 1 %")
    if value > 0.995:
        return _("over 99 %")
    return _("{percent} %").format(percent=round(value * 100))


def day(at: datetime | None) -> str:
    """A UTC day."""
    return _("date not known") if at is None else at.strftime("%Y-%m-%d")


def moment(at: datetime) -> str:
    """A UTC time to the minute."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def probability_words(site: Site) -> str:
    """The merged probability, with the caution that belongs to it."""
    text = share(site.probability)
    if site.probability is None or site.calibrated:
        return text
    return _("{share} (not calibrated)").format(share=text)


def votes_words(site: Site) -> str:
    """What volunteers said."""
    if not site.votes_kiln + site.votes_none + site.votes_unsure:
        return _("no volunteer has seen it")
    return _("{kiln} say kiln, {none} say no kiln, {unsure} cannot tell").format(
        kiln=site.votes_kiln, none=site.votes_none, unsure=site.votes_unsure
    )


def size_words(site: Site) -> str:
    """Length and width, or that nobody measured them."""
    if site.marked_only:
        return _("not measured (marked by volunteers only)")
    return _("about {length} × {width} m").format(length=round(site.length_m), width=round(site.width_m))


def event_words(entry: HistoryEntry) -> str:
    """One line of a site's history."""
    kinds = {
        "import": _("Imagery was run and brought in"),
        "import_run": _("Imagery was run and brought in"),
        "import_marks": _("Volunteers' marks were brought in"),
        "review": _("Verdict"),
        "undo_review": _("Verdict undone"),
        "answer": _("A volunteer answered"),
        "undo_answer": _("A volunteer took an answer back"),
    }
    text = kinds.get(entry.kind, entry.kind.replace("_", " ").capitalize())
    verdict = entry.detail.get("object_verdict")
    if isinstance(verdict, str) and verdict:
        text = f"{text}: {verdict_words().get(verdict, verdict)}"
    return text
