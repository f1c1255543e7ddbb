"""detection.evaluate.report.write: `report.html` and `report.json` in a folder, each whole or not there."""

from pathlib import Path

from detection.evaluate.report.as_json import as_json
from detection.evaluate.report.content import Report
from detection.evaluate.report.gallery import OpenRegion, choose_entries, draw_pictures
from detection.evaluate.report.html import as_html
from detection.evaluate.sample import Sample
from geodata.files import ensure_output_folder, write_text_atomic

PAGE, FIGURES = "report.html", "report.json"
MOST_PICTURES = 60


def write_report(
    folder: Path,
    report: Report,
    open_region: OpenRegion,
    *,
    other_sample: Sample | None = None,
    most_pictures: int = MOST_PICTURES,
    made_up: bool = False,
) -> Path:
    """Write page and JSON, and give the page's path.

    Args:
        folder: made where it is not there.
        report: all figures.
        open_region: opens the scene of a region, to cut pictures from.
        other_sample: of the model that is compared with.
        most_pictures: at most so many of each kind of entry.
        made_up: the imagery was painted.

    Raises:
        InputError: the folder cannot be written, or pixels do not decode.
    """
    ensure_output_folder(folder)
    sample, threshold = report.subject.sample, report.subject.model.threshold
    chosen = choose_entries(report.entries, most_pictures)
    if report.comparison is not None:
        chosen += report.comparison.only_first[:most_pictures]
    pictures = draw_pictures(sample, threshold, chosen, open_region)
    if report.comparison is not None and other_sample is not None:
        theirs = report.comparison.only_second[:most_pictures]
        pictures |= draw_pictures(other_sample, report.comparison.model.threshold, theirs, open_region)
    page = as_html(report, pictures, made_up=made_up)
    write_text_atomic(folder / FIGURES, as_json(report))
    write_text_atomic(folder / PAGE, page)
    return folder / PAGE
