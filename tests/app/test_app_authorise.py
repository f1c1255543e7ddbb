"""Who may do what: closed unless the table opens it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.authorise import LOCAL, NGO, NOBODY, RULES, VOLUNTEER, Principal, Target, authorise

PLACES = ("sites", "picture", "coverage", "print", "page.map", "page.table", "page.site")


@pytest.mark.parametrize(("action", "kind"), sorted(RULES))
def test_the_local_person_may_what_the_table_names_and_nobody_may_nothing(action: str, kind: str) -> None:
    assert authorise(LOCAL, action, Target(kind)).allowed
    refused = authorise(NOBODY, action, Target(kind))
    assert not refused.allowed
    assert refused.reason


@given(st.text(), st.text())
def test_what_the_table_does_not_name_is_refused(action: str, kind: str) -> None:
    if (action, kind) not in RULES:
        assert not authorise(LOCAL, action, Target(kind)).allowed


@given(st.sampled_from(sorted({kind for _, kind in RULES})), st.sampled_from(["delete", "SEE", "see ", ""]))
def test_another_action_on_a_known_kind_is_refused(kind: str, action: str) -> None:
    assert not authorise(LOCAL, action, Target(kind)).allowed


@pytest.mark.parametrize(("principal", "target"), [(None, Target("sites")), (LOCAL, None)])
def test_an_unclear_question_is_refused(principal: Principal | None, target: Target | None) -> None:
    assert not authorise(principal, "see", target).allowed


def test_a_principal_that_is_none_is_refused() -> None:
    assert not authorise("local", "see", Target("sites")).allowed  # type: ignore[arg-type]  # what a slip would pass


@pytest.mark.parametrize("kind", PLACES)
def test_a_volunteer_gets_nothing_that_tells_a_place(kind: str) -> None:
    volunteer = Principal("v", frozenset({VOLUNTEER}))
    assert not authorise(volunteer, "see", Target(kind)).allowed
    assert not authorise(volunteer, "export", Target("sites")).allowed
    assert authorise(volunteer, "answer", Target("label")).allowed


def test_one_role_of_several_is_enough() -> None:
    both = replace(LOCAL, roles=frozenset({NGO, "something"}))
    assert authorise(both, "review", Target("site", "x")).allowed
