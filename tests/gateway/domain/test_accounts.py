"""The secrets of a service account: which work when."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.accounts import Secrets
from gateway.domain.sessions import digest

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD, NEW = digest("old"), digest("new")


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=7)), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_the_old_secret_works_until_the_overlap_ends(overlap: timedelta, later: timedelta) -> None:
    secrets = Secrets(OLD).rotated(NEW, NOW, overlap)
    assert secrets.fit(NEW, NOW + later)
    assert secrets.fit(OLD, NOW + later) == (later < overlap)


def test_without_overlap_it_ends_at_once() -> None:
    assert not Secrets(OLD).rotated(NEW, NOW, timedelta(0)).fit(OLD, NOW)


@given(st.lists(st.timedeltas(timedelta(0), timedelta(days=7)), min_size=1, max_size=6))
def test_at_most_two_secrets_work(overlaps: list[timedelta]) -> None:
    made = [digest(str(number)) for number in range(len(overlaps) + 1)]
    secrets = Secrets(made[0])
    for fresh, overlap in zip(made[1:], overlaps, strict=True):
        secrets = secrets.rotated(fresh, NOW, overlap)
    assert [secret for secret in made if secrets.fit(secret, NOW)] in (made[-1:], made[-2:])
