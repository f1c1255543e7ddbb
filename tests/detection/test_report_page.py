"""The page: whole in itself, harmless whatever the names are, and with the same figures as the JSON."""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from report_samples import grid, sample

from detection.evaluate.report.content import ModelFacts, Other, Subject, build_report, fold_probability
from detection.evaluate.report.entries import entries_of
from detection.evaluate.report.gallery import choose_entries
from detection.evaluate.report.write import FIGURES, PAGE, write_report
from detection.evaluate.sample import Sample, match_sample
from geodata.scene import BandStats, Patch, SceneInfo, Window

HOSTILE = '"><script>alert(1)</script><img src="http://example.org/x.png">.tif'


class NoisyScene:
    """A scene of noise."""

    def __init__(self, number: int) -> None:
        self.info = SceneInfo("s", "s.tif", "0", None, "unknown", ("red", "green", "blue"), grid(number))

    def stats(self) -> tuple[BandStats, ...]:
        return (BandStats(100.0, 20.0),) * 3

    def read(self, window: Window) -> Patch:
        shape = (3, window.height, window.width)
        pixels = np.random.default_rng(0).uniform(60, 200, shape).astype(np.float32)
        return Patch(pixels, np.ones(shape[1:], bool), window)

    def close(self) -> None:
        pass


@contextmanager
def open_region(region: int):
    yield NoisyScene(region)


def facts(name: str = "kilnnet", **more: object) -> ModelFacts:
    return ModelFacts("0123456789abcdef", name, 0.5, "best F1 on held-out folds", ("Delhi",), **more)


def subject(one: Sample, model: ModelFacts | None = None, **more: object) -> Subject:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    chances = np.clip(one.detections.score, 0.01, 0.99)
    return Subject(one, model or facts(), chances, "The card's.", "kilnlight evaluate 'a b.tif'", at, **more)


class Reader(HTMLParser):
    """Every tag with its attributes, and the text outside style."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[Path, Sample]:
    """A report with hostile names, a comparison and pictures."""
    folder = tmp_path_factory.mktemp("report")
    one = sample(1, scenes=2)
    first = replace(one.regions[0], name=HOSTILE, scene=HOSTILE, land="<b>city</b>")
    one = replace(one, regions=(first, one.regions[1]))
    names = ("<i>&\"'", *one.kilns.names[1:])
    other = sample(2, scenes=2, recall=0.5)
    one, other = (replace(s, kilns=replace(s.kilns, names=names)) for s in (one, other))
    report = build_report(subject(one, facts(HOSTILE)), Other(other, facts("other")))
    write_report(folder, report, open_region, other_sample=other, most_pictures=3)
    return folder, one


@pytest.fixture(scope="module")
def page(written) -> Reader:
    return Reader((written[0] / PAGE).read_text(encoding="utf-8"))


def test_the_page_asks_nothing_from_outside_and_runs_nothing(page):
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in page.tags}
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href", "action", "srcset", "data"):
                assert re.match(r"#|data:image/jpeg;base64,", value or ""), (tag, name, value)
            assert "url(" not in (value or "") or "url(#" in (value or "")
    policy = [a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and "default-src 'none'" in policy[0]


def test_style_fetches_nothing(written):
    text = (written[0] / PAGE).read_text(encoding="utf-8")
    for style in re.findall(r"<style.*?</style>", text, re.DOTALL):
        assert "url(" not in style and "@import" not in style


def test_names_are_shown_as_they_are_and_do_nothing(page):
    assert HOSTILE in page.text and "<i>&\"'" in page.text and "<b>city</b>" in page.text
    assert not any("alert" in str(attributes) for _tag, attributes in page.tags)


def test_no_coordinate_leaves_unless_asked_for(written, tmp_path):
    folder, one = written
    lon = f"{one.kilns.boxes.lon[0]:.3f}"
    for name in (PAGE, FIGURES):
        assert lon not in re.sub(r"base64,[^\"]*", "", (folder / name).read_text())
    report = build_report(subject(sample(1, scenes=2), coordinates=True))
    write_report(tmp_path, report, open_region, most_pictures=0)
    for name in (PAGE, FIGURES):
        assert lon in (tmp_path / name).read_text()


def test_page_and_json_have_the_same_figures(written, page):
    figures = json.loads((written[0] / FIGURES).read_text())
    at_100 = next(r for r in figures["figures"] if r["radius_m"] == 100 and r["unverified_places_excused"])
    rotated = figures["rotated_box_figures"]["average_precision"]
    for value in (at_100["f1"], at_100["average_precision"], rotated):
        assert f"{value:.3f}" in page.text
    for one in figures["comparison"]["differences"]:
        assert f"{one['difference']['value']:+.3f}" in page.text
    outcomes = [o["outcome"] for o in figures["outcomes"]]
    assert outcomes.count("hit") == at_100["hits"] and outcomes.count("false_alarm") == at_100["false_alarms"]
    assert outcomes.count("missed") == at_100["kilns"] - at_100["hits"]


def test_every_picture_and_chart_has_words(page):
    tags = [tag for tag, _ in page.tags]
    assert tags.count("figcaption") == tags.count("figure") > 8
    assert tags.count("image") >= 8


def test_it_says_what_the_ground_is(written, page):
    assert "The card does not say on what ground" in page.text
    one = sample(1, scenes=2)
    regions = (replace(one.regions[0], trained_share=0.37), one.regions[1])
    trained = build_report(subject(replace(one, regions=regions), facts(says_ground=True)))
    from detection.evaluate.report.as_json import as_json
    from detection.evaluate.report.html import as_html

    assert "NOT A TEST" in as_html(trained, {}) and "s0.tif (37 %)" in as_html(trained, {})
    content = json.loads(as_json(trained))
    assert content["scored_on_training_ground"] is True and "37 %" in content["training_ground"]
    assert content["regions"][0]["share_of_training_ground"] == 0.37


def test_folds_and_an_empty_land_are_told_too(tmp_path):
    one = sample(3, folds=True, alarms=600)
    report = build_report(replace(subject(one), probability=fold_probability(one)))
    write_report(tmp_path, report, open_region, most_pictures=0)
    read = Reader((tmp_path / PAGE).read_text())
    assert "does the threshold travel" in read.text and "held out, fold 2" in read.text
    content = json.loads((tmp_path / FIGURES).read_text())
    assert len(content["folds"]["travel"]) == 3
    assert "average_precision" not in content["folds"]["pooled_at_the_others"]
    assert content["calibration"]["tests"]["all candidates"]["within_perfect"] in (True, False)


def test_nothing_found_and_nothing_there_is_a_report_too(tmp_path):
    one = sample(1, scenes=2, recall=0.0, alarms=0)
    report = build_report(subject(one))
    page = write_report(tmp_path, report, open_region, most_pictures=2)
    assert "NaN" not in (tmp_path / FIGURES).read_text() and page.is_file()
    assert [entry.outcome for entry in report.entries] == ["missed"] * 24


def test_the_gallery_shows_the_worst_first():
    one = sample(2, alarms=400)
    matching = match_sample(one)
    entries = entries_of(one, matching, 0.3)
    chosen = choose_entries(entries, 4)
    kinds = {kind: [e for e in chosen if e.outcome == kind] for kind in ("false_alarm", "hit", "missed")}
    alarms = [e.score for e in entries if e.outcome == "false_alarm"]
    assert [e.score for e in kinds["false_alarm"]] == sorted(alarms, reverse=True)[:4]
    assert len(kinds["hit"]) == 4 and kinds["hit"][0].score == min(
        e.score for e in entries if e.outcome == "hit"
    )
    for entry in entries:
        assert 0 <= entry.col < 1000 and 0 <= entry.row < 1000
