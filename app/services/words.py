"""app.services.words: the words for verdicts, events and figures, the same on page, print and export."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from app.authorise import LOCAL
from app.i18n import _, _n
from geodata.store.imports import IMPORTER
from geodata.store.records import HistoryEntry, Site
from geodata.store.review_samples import SAMPLER


def verdict_words() -> Mapping[str, str]:
    """What a person reads for each object verdict; `none` stands for no verdict yet."""
    return {
        "none": _("Not reviewed"),
        "kiln": _("Kiln"),
        "not_kiln": _("Not a kiln"),
        "gone": _("Gone"),
        "unsure": _("Unsure"),
    }


def count_words(sites: Sequence[Site]) -> str:
    """How many possible kilns a selection holds; candidates are no result and are counted apart."""
    faint = sum(site.is_candidate for site in sites)
    n = len(sites) - faint
    found = _n("{n} possible kiln", "{n} possible kilns", n).format(n=f"{n:,}")
    if not faint:
        return found
    return _("{found}, {n} below the threshold").format(found=found, n=f"{faint:,}")


def name_of(site: Site) -> str:
    """What a site is called; a candidate is no possible kiln yet."""
    text = _("Candidate {id}, below the threshold") if site.is_candidate else _("Possible kiln {id}")
    return text.format(id=site.site_id)


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


def score(value: float | None) -> str:
    """A model's score; no percentage, since it is no chance."""
    return _("not known") if value is None else f"{value:.2f}"


def day(at: datetime | None) -> str:
    """A UTC day."""
    return _("date not known") if at is None else at.strftime("%Y-%m-%d")


def moment(at: datetime) -> str:
    """A UTC time to the minute."""
    return _("{time} UTC").format(time=at.strftime("%Y-%m-%d %H:%M"))


def probability_words(site: Site) -> str:
    """The merged probability, with the caution that belongs to it."""
    if site.probability is None:
        return _("not given: the model is not calibrated for this imagery")
    text = share(site.probability)
    return text if site.calibrated else _("{share} (not calibrated)").format(share=text)


def probability_cell(site: Site) -> str:
    """The merged probability in a narrow column; empty where none can be given."""
    return "" if site.probability is None else share(site.probability)


def cautions(sites: Iterable[Site]) -> list[str]:
    """What has to stand beside a list of probabilities and ranks."""
    kinds = {(site.probability is not None, site.calibrated) for site in sites}
    out = []
    if (True, False) in kinds:
        out.append(_("Probabilities are not calibrated: read them as an order, not as a chance."))
    if any(not given for given, _calibrated in kinds):
        out.append(
            _(
                "Where no probability stands, the model is not calibrated for that imagery. The rank "
                "compares scores of this model in this project, by quarters; it is not a chance."
            )
        )
    return out


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


def axis_words(site: Site) -> str:
    """Where the long axis points; empty where nobody measured it."""
    if site.marked_only:
        return ""
    return _("{angle}° counter-clockwise from east").format(angle=round(site.angle_deg))


def seen_words(site: Site) -> str:
    """From when to when imagery showed the site; empty for one known from marks only."""
    if site.marked_only:
        return ""
    first, last = day(site.first_seen), day(site.last_seen)
    return first if first == last else _("{first} to {last}").format(first=first, last=last)


def busy() -> str:
    """That somebody else is writing to the project."""
    return _("Another program is writing to this project; nothing was stored. Try again in a moment.")


def cannot_store() -> str:
    """That the disk or the project's file is broken; without its path, which volunteers need not know."""
    return _("Nothing was stored: the disk or the project is full or damaged. Tell whoever runs kilnlight.")


def event_words(entry: HistoryEntry) -> str:
    """One line of a site's history."""
    if entry.kind == "run_imported":
        return _run_words(entry)
    kinds = {
        "sites_marked": _("Volunteers marked it where no site was known"),
        "reviewed": _("Verdict"),
        "review_undone": _("Verdict taken back"),
        "review_sample_drawn": _("Drawn into the random sample to review"),
    }
    text = kinds.get(entry.kind, entry.kind.replace("_", " ").capitalize())
    verdict = entry.detail.get("object_verdict")
    if isinstance(verdict, str) and verdict:
        return _("{event}: {verdict}").format(event=text, verdict=verdict_words().get(verdict, verdict))
    return text


def note_of(entry: HistoryEntry) -> str:
    """What the person wrote who did it; empty for most events."""
    note = entry.detail.get("note")
    return note if isinstance(note, str) else ""


def who_words(entry: HistoryEntry) -> str:
    """Who did it; an import and a person who gave no name are called what they are."""
    known = {IMPORTER: _("import"), SAMPLER: _("calibration"), LOCAL.name: _("no name given")}
    return known.get(entry.who, entry.who)


def _run_words(entry: HistoryEntry) -> str:
    scores = entry.detail.get("scores")
    if not isinstance(scores, Mapping) or not scores:
        return _("A run was brought in that does not show it")
    return _("A run was brought in: score {score}").format(score=score(max(scores.values())))
