"""Key-encryption keys: read from a file, rotated while reads go on, never shown."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from kernel.sql.crypto.errors import KeyringUnavailable, SealBroken
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.kms import FileProvider, KeyEncryption
from kernel.sql.crypto.schema import upgrade_keyring
from kernel.sql.crypto.sealing import Sealer

KekFile = Callable[..., Path]
OLD, NEW = os.urandom(32), os.urandom(32)


def test_a_wrapped_key_opens_only_unaltered_and_in_its_context(write_kek_file: KekFile) -> None:
    kek = KeyEncryption(FileProvider(write_kek_file({"1": OLD}, "1")))
    secret = os.urandom(32)
    wrapped = kek.wrap(secret, b"place")
    assert kek.unwrap(wrapped, b"place") == secret
    with pytest.raises(SealBroken):
        kek.unwrap(wrapped, b"elsewhere")
    for position in range(len(wrapped.ciphertext)):
        altered = bytearray(wrapped.ciphertext)
        altered[position] ^= 1
        with pytest.raises(SealBroken):
            kek.unwrap(wrapped._replace(ciphertext=bytes(altered)), b"place")
    with pytest.raises(SealBroken):
        kek.unwrap(wrapped._replace(ciphertext=b""), b"place")


def test_a_derived_key_is_the_same_everywhere_and_another_for_each_purpose(write_kek_file: KekFile) -> None:
    one = KeyEncryption(FileProvider(write_kek_file({"1": OLD}, "1")))
    two = KeyEncryption(FileProvider(write_kek_file({"1": OLD, "2": NEW}, "2")))
    assert two.derived(b"pages")[:1] == one.derived(b"pages")
    keys = [*two.derived(b"pages"), *two.derived(b"other"), OLD, NEW]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"active": "1"}',
        '{"active": "1", "keys": {"1": "c2hvcnQtc2VjcmV0"}}',
        '{"active": "1", "keys": {"1": "not base64!"}}',
        '{"active": "1", "keys": ["c2hvcnQtc2VjcmV0"]}',
    ],
)
def test_a_malformed_file_is_refused_without_quoting_it(content: str, tmp_path: Path) -> None:
    path = tmp_path / "kek.json"
    path.write_text(content)
    with pytest.raises(ValueError) as refusal:
        KeyEncryption(FileProvider(path))
    assert "c2hvcnQ" not in str(refusal.value)
    assert "short-secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_an_active_version_without_a_key_is_refused(write_kek_file: KekFile) -> None:
    with pytest.raises(ValueError):
        KeyEncryption(FileProvider(write_kek_file({"1": OLD}, "2")))


def test_secrets_never_show(write_kek_file: KekFile, keyring: Keyring) -> None:
    provider = FileProvider(write_kek_file({"1": OLD}, "1"))
    subject = uuid4()
    key = keyring.create([subject], "operational")[subject]
    shown = repr(provider.load()) + repr(KeyEncryption(provider)) + repr(key) + repr(keyring)
    assert repr(OLD)[2:10] not in shown
    assert OLD.hex()[:8] not in shown
    assert "cipher" not in shown


def test_an_unknown_version_is_looked_for_in_the_file_again(write_kek_file: KekFile) -> None:
    path = write_kek_file({"1": OLD}, "1")
    running = KeyEncryption(FileProvider(path))
    write_kek_file({"1": OLD, "2": NEW}, "2", path)
    wrapped = KeyEncryption(FileProvider(path)).wrap(b"s" * 32, b"")
    assert wrapped.kek_version == "2"
    assert running.unwrap(wrapped, b"") == b"s" * 32
    assert running.active == "2"
    with pytest.raises(KeyringUnavailable):
        running.unwrap(wrapped._replace(kek_version="3"), b"")


def test_rotation_loses_no_read_and_leaves_nothing_under_the_old_key(
    new_database: Callable[[], str], new_keyring: Callable[..., Keyring], write_kek_file: KekFile
) -> None:
    url = new_database()
    upgrade_keyring(url)
    path = write_kek_file({"1": OLD}, "1")
    # Without memory, so that each read unwraps what lies in the database at that instant.
    reader, rotator = new_keyring(url, path, cache_seconds=0), new_keyring(url, path)
    sealer = Sealer(reader, installation="test", service="customer")
    subjects = [uuid4() for _ in range(500)]
    documents = [(subject, subject, {"full_name": str(subject)}) for subject in subjects]
    rows = [(s, s, seal) for s, seal in zip(subjects, sealer.seal_many("people", documents), strict=True)]
    index_key = rotator.service_key("index:phone", "1")
    rotated, failures, reads = threading.Event(), list[Exception](), 0

    def read_on() -> None:
        nonlocal reads
        while not rotated.is_set() or not reads:
            try:
                page = sealer.open_page("people", rows[reads * 10 % 500 :][:10])
                assert all(page)
            except Exception as error:
                failures.append(error)
            reads += 1

    thread = threading.Thread(target=read_on)
    thread.start()
    try:
        write_kek_file({"1": OLD, "2": NEW}, "2", path)
        rotator._kek.reload()
        # 500 subjects; the keys of tombstones and of the phone index.
        assert rotator.rewrap(batch=30) == 502
    finally:
        rotated.set()
        thread.join()
    assert failures == []
    assert rotator.rewrap() == 0
    with psycopg.connect(url) as connection:
        query = "select kek_version from app.subject_keys union select kek_version from app.service_keys"
        assert connection.execute(query).fetchall() == [("2",)]
    only_new = new_keyring(url, write_kek_file({"2": NEW}, "2"))
    assert only_new.service_key("index:phone", "1") == index_key
    assert all(Sealer(only_new, installation="test", service="customer").open_page("people", rows))
