"""Merging: what may and what may not move a site's chance."""

import dataclasses
import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import detection.merge
from detection.merge import DampedDawidSkene, SceneScore, SiteEvidence, Vote
from detection.merge.calibration import agrees
from detection.merge.detector import logit, witness_log_odds
from detection.merge.method import FittedDawidSkene
from detection.merge.volunteers import CrowdRates, Rates, VoteOptions, fit_rates

rates = st.builds(Rates, st.floats(0.05, 0.95), st.floats(0.05, 0.95))
votes = st.lists(st.booleans(), max_size=12).map(
    lambda said: tuple(Vote(f"v{k}", x) for k, x in enumerate(said))
)
chances = st.one_of(st.none(), st.floats(0, 1))
scores = st.lists(
    st.builds(
        SceneScore, st.sampled_from("mn"), st.sampled_from("stu"), st.floats(0, 1), chances, st.booleans()
    ),
    max_size=6,
).map(tuple)


def fitted(by_volunteer: dict[str, Rates] | None = None, trusted: bool | None = None) -> FittedDawidSkene:
    return FittedDawidSkene(
        CrowdRates(by_volunteer or {}, Rates(0.7, 0.2)), VoteOptions(), logit(0.1), trusted
    )


crowds = st.lists(rates, max_size=12).map(lambda known: fitted({f"v{k}": r for k, r in enumerate(known)}))


@settings(deadline=None)
@given(merger=crowds, scores=scores, votes=votes, seed=st.randoms())
def test_the_order_of_scores_and_votes_does_not_matter(merger, scores, votes, seed) -> None:
    mixed_scores, mixed_votes = list(scores), list(votes)
    seed.shuffle(mixed_scores)
    seed.shuffle(mixed_votes)
    one = merger.merge(SiteEvidence("a", scores, votes))
    other = merger.merge(SiteEvidence("a", tuple(mixed_scores), tuple(mixed_votes)))
    assert dataclasses.astuple(one) == pytest.approx(dataclasses.astuple(other), abs=1e-9)


@settings(deadline=None)
@given(merger=crowds, scores=scores, votes=votes, newcomer=st.sampled_from(["v99", "v11"]))
def test_one_more_kiln_vote_never_lowers_and_one_more_none_never_raises(
    merger, scores, votes, newcomer
) -> None:
    votes = tuple(v for v in votes if v.volunteer_id != newcomer)
    before, more, less = (
        merger.merge(SiteEvidence("a", scores, given_votes)).log_odds
        for given_votes in (votes, (*votes, Vote(newcomer, True)), (*votes, Vote(newcomer, False)))
    )
    assert less - 1e-9 <= before <= more + 1e-9


@settings(deadline=None)
@given(merger=crowds, scores=scores, votes=votes, k=st.integers(0, 11))
def test_turning_a_vote_to_kiln_never_lowers(merger, scores, votes, k: int) -> None:
    turned = tuple(dataclasses.replace(v, is_kiln=v.is_kiln or v.volunteer_id == f"v{k}") for v in votes)
    before, after = (merger.merge(SiteEvidence("a", scores, given)).log_odds for given in (votes, turned))
    assert after >= before - 1e-9


@pytest.mark.parametrize("probability", [0.02, 0.3, 0.9, None])
def test_five_dates_of_one_model_are_one_witness(probability: float | None) -> None:
    dates = tuple(SceneScore("m", f"s{k}", 0.8, probability) for k in range(5))
    five, one = (fitted().merge(SiteEvidence("a", seen)).log_odds for seen in (dates, dates[:1]))
    assert five == pytest.approx(one)


@settings(deadline=None)
@given(scores=scores)
def test_the_detector_is_never_surer_than_its_surest_detection(scores: tuple[SceneScore, ...]) -> None:
    alone = [witness_log_odds([s], -2.0)[0] for s in scores]
    together = witness_log_odds(scores, -2.0)[0]
    assert min(alone, default=-2.0) - 1e-9 <= together <= max(alone, default=-2.0) + 1e-9


def test_a_faint_trace_does_not_weaken_a_clear_sight() -> None:
    clear, faint = SceneScore("m", "s1", 0.9, 0.9), SceneScore("m", "s2", 0.1, 0.1, is_candidate=True)
    assert witness_log_odds([clear, faint], 0.0) == witness_log_odds([clear], 0.0)


def test_two_detections_of_one_scene_count_as_the_better() -> None:
    good, weak = SceneScore("m", "s", 0.9, 0.9), SceneScore("m", "s", 0.4, 0.4)
    assert witness_log_odds([good, weak], 0.0) == witness_log_odds([good], 0.0)


def test_without_a_calibrated_chance_the_score_counts_half_and_is_flagged() -> None:
    value, calibrated = witness_log_odds([SceneScore("m", "s", 0.9, None)], 0.0)
    assert value == pytest.approx(math.log(9) / 2)
    assert not calibrated
    raw = fitted(trusted=True).merge(SiteEvidence("a", (SceneScore("m", "s", 0.9, None),)))
    assert not raw.calibrated and not raw.backed
    assert fitted(trusted=True).merge(SiteEvidence("a", (SceneScore("m", "s", 0.9, 0.9),))).calibrated
    assert not fitted(trusted=True).merge(SiteEvidence("a")).calibrated


@pytest.mark.parametrize(
    ("trusted", "voted", "expected"),
    [(None, False, True), (None, True, False), (True, True, True), (False, False, False)],
)
def test_the_card_vouches_until_a_vote_moves_the_chance_or_truths_disagree(
    trusted: bool | None, voted: bool, expected: bool
) -> None:
    votes = (Vote("v", True),) if voted else ()
    merged = fitted(trusted=trusted).merge(SiteEvidence("a", (SceneScore("m", "s", 0.9, 0.7),), votes))
    assert merged.backed and merged.calibrated == expected


def test_one_scene_without_a_chance_leaves_the_whole_without_backing() -> None:
    seen = (SceneScore("m", "s1", 0.9, 0.7), SceneScore("m", "s2", 0.9, None))
    assert not fitted().merge(SiteEvidence("a", seen)).backed
    assert not fitted().merge(SiteEvidence("a", (), (Vote("v", True),))).backed


def test_unknown_volunteers_have_limited_weight() -> None:
    site = SiteEvidence("a", (SceneScore("m", "s", 0.5, 0.5),))
    one = fitted().merge(dataclasses.replace(site, votes=(Vote("x", True),)))
    assert 0.6 < one.probability < 0.8
    crowd = fitted().merge(dataclasses.replace(site, votes=tuple(Vote(f"x{k}", True) for k in range(30))))
    assert crowd.votes_log_odds < 4.1 * one.votes_log_odds


@settings(deadline=None)
@given(r=rates, said=st.booleans())
def test_no_vote_counts_more_than_its_limit(r: Rates, said: bool) -> None:
    added = fitted({"v": r}).merge(SiteEvidence("a", (), (Vote("v", said),))).votes_log_odds
    assert 0 <= (added if said else -added) <= VoteOptions().most_per_vote


def test_who_marks_everything_loses_weight_and_who_is_right_gains() -> None:
    rng = np.random.default_rng(0)
    sites = []
    for k in range(60):
        kiln = k % 2 == 0
        chance = 0.85 if kiln else 0.15
        said = {"good": kiln, "always": True, "coin": bool(rng.random() < 0.5)}
        given_votes = tuple(Vote(who, x) for who, x in said.items())
        sites.append(SiteEvidence(f"s{k:02}", (SceneScore("m", "s", chance, chance),), given_votes))
    crowd = DampedDawidSkene().fit(sites, {}).crowd
    assert crowd.of("good").hit > 0.8 > 0.2 > crowd.of("good").false_alarm
    assert crowd.of("always").false_alarm > 0.8

    def weight(who: str) -> float:
        merger = dataclasses.replace(fitted(), crowd=crowd)
        return merger.merge(SiteEvidence("a", (), (Vote(who, True),))).votes_log_odds

    assert weight("good") > 2 * weight("coin")
    assert weight("good") > 2 * weight("always")


evidence = st.lists(st.tuples(scores, votes), max_size=8).map(
    lambda rows: [SiteEvidence(f"site{k}", s, v) for k, (s, v) in enumerate(rows)]
)


@settings(deadline=None, max_examples=60)
@given(sites=evidence, seed=st.randoms())
def test_fitting_does_not_depend_on_the_order_of_sites_or_votes(sites: list[SiteEvidence], seed) -> None:
    mixed = []
    for site in sites:
        given_votes = list(site.votes)
        seed.shuffle(given_votes)
        mixed.append(dataclasses.replace(site, votes=tuple(given_votes)))
    seed.shuffle(mixed)
    assert DampedDawidSkene().fit(sites, {}) == DampedDawidSkene().fit(mixed, {})


@settings(deadline=None, max_examples=60)
@given(sites=evidence)
def test_rates_stay_inside_zero_and_one_and_chances_finite(sites: list[SiteEvidence]) -> None:
    merger = DampedDawidSkene().fit(sites, {})
    for r in (*merger.crowd.by_volunteer.values(), merger.crowd.anyone):
        assert 0 < r.hit < 1
        assert 0 < r.false_alarm < 1
    assert all(math.isfinite(merger.merge(site).log_odds) for site in sites)


def test_without_votes_the_rates_are_the_priors() -> None:
    assert fit_rates([(), ()], np.zeros(2), VoteOptions()).anyone == Rates(0.7, 0.2)


def test_a_volunteer_votes_once_per_site() -> None:
    with pytest.raises(ValueError, match="two votes of one volunteer"):
        SiteEvidence("a", (), (Vote("v", True), Vote("v", False)))


# --- two truths, never mixed -----------------------------------------------------------------------


def test_no_verdict_and_no_concern_can_enter_the_merge() -> None:
    fields = {f.name for kind in (SiteEvidence, SceneScore, Vote) for f in dataclasses.fields(kind)}
    assert not {name for name in fields if "verdict" in name or "concern" in name or "truth" in name}
    assert list(inspect.signature(detection.merge.SiteMerger.merge).parameters) == ["self", "evidence"]


def known_sites(n: int, honest: bool = True) -> tuple[list[SiteEvidence], dict[str, bool]]:
    """Sites with chances that come true as often as they say (or never, where not honest)."""
    rng = np.random.default_rng(1)
    chance = rng.uniform(0.05, 0.95, n)
    kiln = rng.random(n) < (chance if honest else 1 - chance)
    sites = [
        SiteEvidence(f"s{k:04}", (SceneScore("m", "s", float(p), float(p)),)) for k, p in enumerate(chance)
    ]
    return sites, {site.site_id: bool(k) for site, k in zip(sites, kiln, strict=True)}


@pytest.mark.parametrize(
    ("n", "honest", "expected"), [(99, True, True), (99, False, True), (400, True, True), (400, False, False)]
)
def test_a_hundred_truths_that_disagree_take_the_cards_word_back(
    n: int, honest: bool, expected: bool
) -> None:
    sites, truths = known_sites(n, honest)
    merger = DampedDawidSkene().fit(sites, truths)
    assert {merger.merge(site).calibrated for site in sites} == {expected}


@pytest.mark.parametrize("n", [10, 400])
def test_truths_change_no_chance(n: int) -> None:
    sites, truths = known_sites(n)
    without, with_truths = DampedDawidSkene().fit(sites, {}), DampedDawidSkene().fit(sites, truths)
    turned = DampedDawidSkene().fit(sites, {key: not kiln for key, kiln in truths.items()})
    for site in sites:
        assert without.merge(site).log_odds == with_truths.merge(site).log_odds == turned.merge(site).log_odds


def test_sites_without_a_chance_do_not_tell_how_far_chances_hold() -> None:
    sites, truths = known_sites(400, honest=False)
    raw = [dataclasses.replace(s, scores=(SceneScore("m", "s", s.scores[0].score, None),)) for s in sites]
    merger = DampedDawidSkene().fit(raw, truths)
    assert merger.trusted is None


def test_truths_of_one_kind_alone_calibrate_nothing() -> None:
    assert agrees(np.full(200, 5.0), np.ones(200)) is None
