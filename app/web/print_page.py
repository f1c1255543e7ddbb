"""app.web.print_page: pages to print, plain HTML without script; everything that people wrote is escaped.

Paper leaves the house as files do, so notes are printed only where somebody asks for them.
"""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from app.i18n import _, html_lang
from app.services import words
from app.services.coordinates import Place
from app.services.credits import credit_of
from app.services.exports import not_proof
from app.services.overlay import picture_svg
from app.services.rank_band import rank_sentence, rank_words
from geodata.store.records import Evidence, HistoryEntry, Site

_Rows = Sequence[Sequence[str]]


def site_page(
    site: Site,
    evidence: Sequence[Evidence],
    history: Sequence[HistoryEntry],
    has_picture: bool,
    now: datetime,
    *,
    with_notes: bool,
) -> str:
    """One site on one sheet."""
    heading = words.name_of(site)
    figure = ""
    if has_picture:
        picture = picture_svg(site, f"/api/picture/{site.site_id}")
        figure = f"<figure>{picture}<figcaption>{escape(credit_of([site]))}</figcaption></figure>"
    facts = [*site_facts(site), (_("Note"), site.verdict_note or "")] if with_notes else site_facts(site)
    pairs = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    body = [
        f"<h1>{escape(heading)}</h1>",
        f'<div class="sheet">{figure}<dl>{pairs}</dl></div>',
        f"<h2>{escape(_('Evidence'))}</h2>",
        _table(evidence_head(), [evidence_row(item) for item in evidence]),
        f"<h2>{escape(_('History'))}</h2>",
        _history(history, with_notes),
    ]
    return _page(heading, "".join(body), [site], now)


def list_page(sites: Sequence[Site], now: datetime) -> str:
    """The selection as a table."""
    heading = words.count_words(sites)
    head = [
        *(_("Site"), _("Coordinates"), _("Probability"), _("Rank by score"), _("Model score")),
        *(_("Verdict"), _("Last seen")),
    ]
    caution = "".join(f"<p>{escape(sentence)}</p>" for sentence in words.cautions(sites))
    rows = [
        [
            site.site_id,
            Place(site.lat, site.lon).text(),
            words.probability_cell(site),
            rank_words(site),
            words.score(site.score),
            words.verdict_words()[site.object_verdict or "none"],
            words.day(site.last_seen),
        ]
        for site in sites
    ]
    table = f'<div class="short">{_table(head, rows)}</div>'
    return _page(heading, f"<h1>{escape(heading)}</h1>{caution}{table}", sites, now)


def site_facts(site: Site) -> list[tuple[str, str]]:
    """The facts of a site as names and values, as text; none of them was written by a person."""
    place = Place(site.lat, site.lon)
    facts = [
        (_("Coordinates"), place.text()),
        (_("Link for map programs"), place.geo_uri()),
        (_("Probability"), words.probability_words(site)),
        (_("Rank by score"), rank_sentence(site) if site.probability is None else ""),
        (_("Model score"), words.score(site.score)),
        (_("Volunteers"), words.votes_words(site)),
        (_("Verdict"), words.verdict_words()[site.object_verdict or "none"]),
        (_("Seen"), words.seen_words(site)),
        (_("Not seen on"), words.day(site.not_seen_on) if site.not_seen_on else ""),
        (_("Size"), words.size_words(site)),
        (_("Long axis"), words.axis_words(site)),
    ]
    return [(name, value) for name, value in facts if value]


def evidence_head() -> list[str]:
    """Column names of the evidence table."""
    return [_("Acquired"), _("Scene"), _("Model"), _("Score"), _("State")]


def evidence_row(item: Evidence) -> list[str]:
    """One detection as text."""
    state = _("replaced by another run") if item.superseded else _("current")
    if item.is_candidate:
        state = _("{state}, below the threshold").format(state=state)
    return [words.day(item.acquired_at), item.scene_id, item.model_id[:12], words.score(item.score), state]


def _history(history: Sequence[HistoryEntry], with_notes: bool) -> str:
    head = [_("When"), _("What"), _("Who")]
    rows = [[words.moment(entry.at), words.event_words(entry), words.who_words(entry)] for entry in history]
    if not with_notes:
        return _table(head, rows)
    notes = [words.note_of(entry) for entry in history]
    return _table([*head, _("Note")], [[*row, note] for row, note in zip(rows, notes, strict=True)])


def _table(head: Sequence[str], rows: _Rows) -> str:
    if not rows:
        return f"<p>{escape(_('Nothing yet.'))}</p>"
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(f"<tr>{_cells(head, row)}</tr>" for row in rows)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


def _cells(head: Sequence[str], row: Sequence[str]) -> str:
    """The cells of a row, each with its column's name, which narrow screens show instead of the head."""
    pairs = zip(head, row, strict=True)
    return "".join(f'<td data-name="{escape(name)}">{escape(cell)}</td>' for name, cell in pairs)


def _page(title: str, body: str, sites: Sequence[Site], now: datetime) -> str:
    banner = ""
    if any(site.made_up for site in sites):
        banner = f'<p class="made-up">{escape(made_up_banner())}</p>'
    foot = " · ".join(filter(None, [credit_of(sites), _("Printed {time}").format(time=words.moment(now))]))
    return (
        f'<!doctype html><html lang="{escape(html_lang())}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'
        '<link rel="stylesheet" href="/assets/print.css"></head><body>'
        f"<main>{banner}{body}</main><footer><p>{escape(not_proof())}</p><p>{escape(foot)}</p></footer></body></html>"
    )


def made_up_banner() -> str:
    """The banner over everything that comes from a painted scene."""
    return _("Made-up scene: shows the plumbing, not the accuracy.")
