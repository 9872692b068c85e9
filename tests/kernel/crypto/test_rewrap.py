"""`python -m <service>.store rewrap`: every key of a service under a new key-encryption key."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest

from customer.wiring import CustomerApp
from kernel.pure.ids import new_id
from kernel.sql.crypto.keyring import Keyring
from kernel.sql.crypto.kms import FileProvider, KeyEncryption
from kernel.sql.migrate import main
from tests.support.services import service


def test_the_command_wraps_all_keys_anew_and_the_old_version_can_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with service(CustomerApp) as app:
        subject = new_id()
        key = app.keyring.create([subject], "operational")[subject]
        both = json.loads(Path(app.settings.kek_file).read_text("utf-8"))
        both["keys"]["new"] = base64.b64encode(os.urandom(32)).decode()
        both["active"] = "new"
        path = tmp_path / "kek.json"
        path.write_text(json.dumps(both), "utf-8")
        url = app.settings.keyring_url.get_secret_value()
        for name, value in {
            "CRM_DATABASE_URL": app.settings.database_url.get_secret_value(),
            "CRM_KEYRING_URL": url,
            "CRM_KEK_FILE": str(path),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["store", "rewrap"])
        main("customer")
        main("customer")
        first, second = capsys.readouterr().out.splitlines()
        # The subject's key, and the service's own for tombstones.
        assert first == "2 keys wrapped anew under the active key"
        assert second == "0 keys wrapped anew under the active key"
        path.write_text(json.dumps({"active": "new", "keys": {"new": both["keys"]["new"]}}), "utf-8")
        only_new = Keyring(url, KeyEncryption(FileProvider(path)))
        assert only_new.keys([subject], "operational")[subject].id == key.id
        only_new.close()
