"""Keys of subjects: made once, committed first, destroyed for good."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from kernel.sql.crypto.errors import DayKeyDestroyed, SealBroken, SubjectErased
from kernel.sql.crypto.keyring import Keyring

NewKeyring = Callable[..., Keyring]


def age(url: str, subject_ids: Sequence[UUID], interval: timedelta) -> None:
    """Lets time pass for the subjects' keys."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "update app.subject_keys set touched_at = touched_at - %s where subject_id = any(%s)",
            (interval, list(subject_ids)),
        )


def test_a_key_stays_the_same_in_every_process(new_keyring: NewKeyring) -> None:
    subjects = [uuid4() for _ in range(50)]
    made = new_keyring().create(subjects, "operational")
    again = new_keyring().create(subjects, "operational")
    read = new_keyring().keys(subjects, "operational")
    nonce = bytes(12)
    for subject in subjects:
        sealed = made[subject].cipher.encrypt(nonce, b"secret", None)
        assert again[subject].cipher.decrypt(nonce, sealed, None) == b"secret"
        assert read[subject].cipher.decrypt(nonce, sealed, None) == b"secret"
    assert len({key.id for key in read.values()}) == len(subjects)


def test_classes_of_one_subject_have_keys_of_their_own(keyring: Keyring) -> None:
    subject = uuid4()
    operational = keyring.create([subject], "operational")[subject]
    contract = keyring.create([subject], "contract")[subject]
    assert operational.id != contract.id
    assert keyring.keys([subject], "consent_proof") == {}


def test_eight_threads_that_make_the_same_keys_get_one_each(
    new_keyring: NewKeyring, keyring_url: str
) -> None:
    subjects = [uuid4() for _ in range(40)]
    start = threading.Barrier(8)

    def create(worker: int) -> dict[UUID, bytes]:
        keyring = keyrings[worker % 2]
        # Each thread in another order, so that a wrong order of locks would be a deadlock.
        wanted = subjects[worker:] + subjects[:worker]
        start.wait()
        return {subject: key.id for subject, key in keyring.create(wanted, "operational").items()}

    keyrings = [new_keyring(), new_keyring()]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert all(answer == answers[0] for answer in answers)
    with psycopg.connect(keyring_url) as connection:
        query = "select count(*) from app.subject_keys where subject_id = any(%s)"
        assert connection.execute(query, (subjects,)).fetchone() == (40,)


def test_a_page_asks_the_keyring_once_and_then_not_at_all(keyring: Keyring, new_keyring: NewKeyring) -> None:
    subjects = [uuid4() for _ in range(200)]
    new_keyring().create(subjects, "operational")
    asked = 0
    run = keyring._connections.run

    def counted(work):  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += 1
        return run(work)

    keyring._connections.run = counted  # type: ignore[method-assign]
    assert len(keyring.keys(subjects, "operational")) == 200
    assert len(keyring.keys(subjects, "operational")) == 200
    assert asked == 1


def test_memory_holds_no_more_keys_than_it_was_given_room_for(new_keyring: NewKeyring) -> None:
    keyring = new_keyring(cache_size=10)
    subjects = [uuid4() for _ in range(25)]
    assert len(keyring.create(subjects, "operational")) == 25
    assert len(keyring._cache._entries) == 10


def test_keys_in_memory_expire(new_keyring: NewKeyring, keyring_url: str) -> None:
    keyring = new_keyring(cache_seconds=0)
    subject = uuid4()
    keyring.create([subject], "operational")
    with psycopg.connect(keyring_url) as connection:
        connection.execute("delete from app.subject_keys where subject_id = %s", (subject,))
    assert keyring.keys([subject], "operational") == {}


def test_a_destroyed_subject_is_gone_elsewhere_after_the_poll(new_keyring: NewKeyring) -> None:
    here, there = new_keyring(), new_keyring()
    subject, other = uuid4(), uuid4()
    here.create([subject, other], "operational")
    there.poll_version()
    assert subject in there.keys([subject, other], "operational")
    assert not there.poll_version()

    assert here.destroy([subject]) == 1

    assert here.keys([subject], "operational") == {}
    assert there.poll_version()
    assert there.keys([subject, other], "operational").keys() == {other}
    assert not there.poll_version()


def test_late_writes_for_an_erased_subject_are_recognised(new_keyring: NewKeyring) -> None:
    keyring, erased, living = new_keyring(), uuid4(), uuid4()
    keyring.create([erased], "operational")
    keyring.destroy([erased])
    for late in (keyring, new_keyring()):
        with pytest.raises(SubjectErased) as refusal:
            late.create([living, erased], "operational")
        assert refusal.value.subject_ids == {erased}
    assert keyring.erased([living, erased], "contract") == {erased}
    assert keyring.keys([living], "operational") == {}, "a refused batch makes no key"
    assert living in keyring.create([living], "operational")


def test_destroying_one_class_leaves_the_others(keyring: Keyring) -> None:
    subject = uuid4()
    keyring.create([subject], "operational")
    keyring.create([subject], "contract")
    assert keyring.destroy([subject], ["operational"]) == 1
    assert subject in keyring.keys([subject], "contract")
    assert subject in keyring.create([subject], "contract")
    with pytest.raises(SubjectErased):
        keyring.create([subject], "operational")


def test_destroying_twice_is_the_same_as_once(keyring: Keyring) -> None:
    subject = uuid4()
    keyring.create([subject], "operational")
    assert keyring.destroy([subject]) == 1
    assert keyring.destroy([subject]) == 0


def test_no_key_outlives_a_destruction_that_runs_beside_its_making(new_keyring: NewKeyring) -> None:
    maker, destroyer, reader = new_keyring(), new_keyring(), new_keyring()
    for _ in range(40):
        subject = uuid4()
        start = threading.Barrier(2)

        def make(subject: UUID = subject, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                maker.create([subject], "operational")
            except SubjectErased:
                return

        thread = threading.Thread(target=make)
        thread.start()
        start.wait()
        destroyer.destroy([subject])
        thread.join()
        assert reader.keys([subject], "operational") == {}


def test_a_key_read_before_its_destruction_is_not_kept_after_the_poll(new_keyring: NewKeyring) -> None:
    here, there = new_keyring(), new_keyring()
    subject = uuid4()
    here.create([subject], "operational")
    there.poll_version()
    run = there._connections.run

    def read_then_destroy(work):  # type: ignore[no-untyped-def]
        rows = run(work)
        there._connections.run = run  # type: ignore[method-assign]
        here.destroy([subject])
        there.poll_version()
        return rows

    there._connections.run = read_then_destroy  # type: ignore[method-assign]
    there.keys([subject], "operational")
    assert there.keys([subject], "operational") == {}


def test_nobody_is_created_destroyed_or_erased_by_an_empty_list(keyring: Keyring) -> None:
    keyring.poll_version()
    assert keyring.create([], "operational") == {}
    assert keyring.keys([], "operational") == {}
    assert keyring.erased([], "operational") == set()
    assert keyring.destroy([]) == 0
    assert not keyring.poll_version()


def test_orphans_are_swept_and_used_or_young_keys_stay(keyring: Keyring, keyring_url: str) -> None:
    used, orphaned, young = ([uuid4() for _ in range(7)] for _ in range(3))
    keyring.create(used + orphaned + young, "operational")
    keyring.create(orphaned, "contract")
    age(keyring_url, used + orphaned, timedelta(days=2))

    def with_data(subject_ids: Sequence[UUID], key_class: str) -> Collection[UUID]:
        # Other tests' keys are none of this test's business.
        mine = set(orphaned) if key_class == "operational" else set[UUID]()
        return [subject for subject in subject_ids if subject not in mine]

    assert keyring.sweep_orphans(timedelta(days=1), with_data, batch=3) == 7
    assert keyring.sweep_orphans(timedelta(days=1), with_data, batch=3) == 0
    keyring.forget()
    assert keyring.keys(used + orphaned + young, "operational").keys() == set(used + young)
    assert keyring.keys(orphaned, "contract").keys() == set(orphaned)
    assert keyring.create(orphaned, "operational").keys() == set(orphaned), "orphans left no tombstone"


def test_a_writer_who_comes_back_during_the_sweep_keeps_the_key(
    new_keyring: NewKeyring, keyring_url: str
) -> None:
    sweeper, writer = new_keyring(), new_keyring()
    subject = uuid4()
    before = sweeper.create([subject], "operational")[subject].id
    age(keyring_url, [subject], timedelta(days=2))
    # A key in the writer's memory that was asked for in order to read says nothing to the sweeper.
    writer.keys([subject], "operational")

    def with_data(subject_ids: Sequence[UUID], key_class: str) -> Collection[UUID]:
        writer.create([subject], "operational")
        return [other for other in subject_ids if other != subject]

    assert sweeper.sweep_orphans(timedelta(days=1), with_data) == 0
    assert new_keyring().keys([subject], "operational")[subject].id == before


def test_a_daily_sweep_looks_back_only_so_far(keyring: Keyring, keyring_url: str) -> None:
    recent, ancient = uuid4(), uuid4()
    keyring.create([recent, ancient], "operational")
    age(keyring_url, [recent], timedelta(days=2))
    age(keyring_url, [ancient], timedelta(days=30))
    seen: set[UUID] = set()

    def with_data(subject_ids: Sequence[UUID], key_class: str) -> Collection[UUID]:
        seen.update(subject_ids)
        return subject_ids

    keyring.sweep_orphans(timedelta(days=1), with_data, lookback=timedelta(days=3))
    assert recent in seen
    assert ancient not in seen


def test_a_sweep_refuses_ages_at_which_a_writer_may_still_hold_the_key(keyring: Keyring) -> None:
    with pytest.raises(ValueError):
        keyring.sweep_orphans(timedelta(hours=1), lambda subject_ids, key_class: [])


def test_the_key_of_a_day_is_one_until_it_is_destroyed_everywhere(new_keyring: NewKeyring) -> None:
    here, there = new_keyring(), new_keyring()
    there.poll_version()
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    key = here.day_key(first)
    assert there.day_key(first) == key
    assert here.day_key(second) != key
    kept = here.day_key(second)

    assert here.destroy_days_before(second) == 1

    with pytest.raises(DayKeyDestroyed):
        here.day_key(first)
    assert there.poll_version()
    with pytest.raises(DayKeyDestroyed):
        there.day_key(first)
    assert there.day_key(second) == kept
    assert here.destroy_days_before(second) == 0


def test_a_service_key_is_made_once(new_keyring: NewKeyring) -> None:
    purpose = f"index:{uuid4()}"
    with ThreadPoolExecutor(4) as pool:
        keys = set(
            pool.map(lambda keyring: keyring.service_key(purpose, "1"), [new_keyring() for _ in "abcd"])
        )
    assert len(keys) == 1
    assert new_keyring().service_key(purpose, "2") not in keys


def test_a_wrapped_key_moved_to_another_subject_does_not_open(
    new_keyring: NewKeyring, keyring_url: str
) -> None:
    victim, thief = uuid4(), uuid4()
    new_keyring().create([victim, thief], "operational")
    with psycopg.connect(keyring_url) as connection:
        connection.execute(
            "update app.subject_keys as thief set key_id = victim.key_id, wrapped = victim.wrapped"
            " from app.subject_keys as victim where victim.subject_id = %s and thief.subject_id = %s",
            (victim, thief),
        )
    with pytest.raises(SealBroken):
        new_keyring().keys([thief], "operational")
