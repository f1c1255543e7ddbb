"""app.services.export_html: a selection as ONE HTML file that opens on a phone without a server or a network.

Pictures are inlined and made small, nothing is fetched and no script runs. Everything that people wrote
is escaped, and notes leave only where somebody asks for them.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from importlib import resources
from io import BytesIO

from PIL import Image

from app.i18n import _, html_lang
from app.services import words
from app.services.coordinates import Place
from app.services.credits import credit_of
from app.services.exports import not_proof
from app.services.overlay import picture_svg
from app.services.overview import legend_html, overview_svg
from app.services.rank_band import rank_sentence
from geodata.store.records import Site

_SIZES_PX = ((200, 192), (1000, 128))
"""(up to how many sites, longest side): keeps a file of 200 sites at three megabytes. A picture shows 128
pixels of ten metres, so nothing is lost."""
_PICTURES_UP_TO = 1000
_NO_NETWORK = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def export_html(
    sites: Sequence[Site],
    picture_bytes: Callable[[Site], bytes | None],
    *,
    with_notes: bool,
    title: str,
    generated_at: datetime,
) -> str:
    """The selection as the text of one HTML file.

    Args:
        sites: in the order in which they shall stand.
        picture_bytes: the PNG or JPEG of a site; None where there is none.
        with_notes: also write down the notes that belong to the verdicts.
        title: heading and title of the file, plain text.
        generated_at: UTC time that the file names as its own.
    """
    side = next((px for count, px in _SIZES_PX if len(sites) <= count), _SIZES_PX[-1][1])
    articles = "".join(
        _article(number, site, picture_bytes(site) if number <= _PICTURES_UP_TO else None, side, with_notes)
        for number, site in enumerate(sites, start=1)
    )
    style = (resources.files("app") / "static" / "export.css").read_text(encoding="utf-8")
    head = (
        f'<!doctype html>\n<html lang="{escape(html_lang())}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_NO_NETWORK)}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{escape(title)}</title>'
        f"<style>{style}</style></head>"
    )
    top = _top(sites, title, generated_at)
    return f"{head}<body>{top}<main>{_overview(sites)}{articles}</main>{_foot(sites)}</body></html>\n"


def small_picture(content: bytes, side: int) -> bytes | None:
    """A picture as a JPEG of at most `side` pixels that holds only pixels; None where it cannot be read."""
    try:
        with Image.open(BytesIO(content)) as image:
            pixels = image.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    pixels.thumbnail((side, side), Image.Resampling.LANCZOS)
    plain = Image.frombytes("RGB", pixels.size, pixels.tobytes())
    out = BytesIO()
    plain.save(out, "JPEG", quality=70, optimize=True)
    return out.getvalue()


def _top(sites: Sequence[Site], title: str, generated_at: datetime) -> str:
    count = _("{count}. Written {time}.").format(
        count=words.count_words(sites), time=words.moment(generated_at)
    )
    made_up = ""
    if any(site.made_up for site in sites):
        text = _("Made-up scene: what is marked as made up shows no real place.")
        made_up = f'<p class="made-up">{escape(text)}</p>'
    return (
        f"<header>{made_up}<h1>{escape(title)}</h1><p>{escape(count)}</p>"
        f'<p class="caution">{escape(not_proof())} {escape(_care())}</p></header>'
    )


def _overview(sites: Sequence[Site]) -> str:
    legend = f"<p>{legend_html()}</p>" if sites else ""
    return overview_svg(sites, lambda number: f"#s{number}") + legend


def _care() -> str:
    return _(
        "This file names places: give it only to people who need it, and publish no place on the strength "
        "of this list alone."
    )


def _foot(sites: Sequence[Site]) -> str:
    return f"<footer><p>{escape(not_proof())}</p><p>{escape(credit_of(sites))}</p></footer>"


def _article(number: int, site: Site, picture: bytes | None, side: int, with_notes: bool) -> str:
    heading = _("{number}. {name}").format(number=number, name=words.name_of(site))
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in _facts(site, with_notes)
    )
    link = f'<a class="open" href="{escape(_place(site).geo_uri())}">{escape(_("Open in a map program"))}</a>'
    return (
        f'<article id="s{number}"><h2>{escape(heading)}</h2><div>{_figure(site, picture, side)}</div>'
        f"<div><dl>{facts}</dl>{link}</div></article>\n"
    )


def _figure(site: Site, picture: bytes | None, side: int) -> str:
    small = None if picture is None else small_picture(picture, side)
    if small is None:
        return f'<p class="none">{escape(_("No picture"))}</p>'
    data = f"data:image/jpeg;base64,{base64.b64encode(small).decode('ascii')}"
    return f"{picture_svg(site, data)}<small>{escape(credit_of([site]))}</small>"


def _place(site: Site) -> Place:
    return Place(site.lat, site.lon)


def _facts(site: Site, with_notes: bool) -> list[tuple[str, str]]:
    """Names and values, plain text; empty ones are left out."""
    facts = [
        (_("Coordinates"), _place(site).text()),
        (_("Probability"), words.probability_words(site)),
        (_("Rank by score"), rank_sentence(site) if site.probability is None else ""),
        (_("Model score"), words.score(site.score)),
        (_("Volunteers"), words.votes_words(site)),
        (_("Verdict"), words.verdict_words().get(site.object_verdict or "none", site.object_verdict or "")),
        (_("Note"), (site.verdict_note or "") if with_notes else ""),
        (_("Seen"), words.seen_words(site)),
        (_("Not seen on"), words.day(site.not_seen_on) if site.not_seen_on else ""),
        (_("Size"), words.size_words(site)),
        (_("Made up"), _("yes, no real place") if site.made_up else ""),
    ]
    return [(name, value) for name, value in facts if value]
