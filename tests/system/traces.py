"""Every way in which a person's data could stand somewhere in readable form, and the search for it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path
from urllib.parse import quote

from ahocorasick_rs import BytesAhoCorasick
from psycopg.conninfo import conninfo_to_dict

from crm_cli.local import install
from crm_cli.tour.people import MadeUpPerson
from tests.system.behind import Behind

# A shorter text would be found by chance in data that is encrypted.
_SHORTEST = 8  # bytes


def traces_of(person: MadeUpPerson) -> dict[bytes, str]:
    """What to look for, with a name for the report that tells nothing of the person."""
    return traces(
        {
            "full name": [person.full_name],
            "phone": list(phones(person.phone)),
            "e-mail": [person.email, person.email.upper()],
        }
    )


def traces(words: Mapping[str, Iterable[str]]) -> dict[bytes, str]:
    """The same for texts by what they are."""
    return {
        trace: f"{kind} {notation}"
        for kind, texts in words.items()
        for text in texts
        for notation, trace in notations(text)
        if len(trace) >= _SHORTEST
    }


def phones(national: str) -> Iterator[str]:
    """A mainland mobile number of 11 digits as people and machines write it."""
    start, middle, end = national[:3], national[3:7], national[7:]
    yield national  # also within +86… and 0086…
    yield f"{start} {middle} {end}"
    yield f"{start}-{middle}-{end}"


def notations(text: str) -> Iterator[tuple[str, bytes]]:
    """The text itself, and what dumps, JSON, URLs and logs make of it."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        raw = text.encode(encoding)
        yield encoding, raw
        yield f"hex of {encoding}", raw.hex().encode()
        yield f"upper hex of {encoding}", raw.hex().upper().encode()
    raw = text.encode()
    escaped = json.dumps(text)[1:-1].encode()
    yield "\\u-escaped", escaped
    yield "\\U-escaped", escaped.upper().replace(b"\\U", b"\\u")
    yield "\\\\u-escaped twice", escaped.replace(b"\\", b"\\\\")
    yield "\\x-escaped", repr(raw)[2:-1].encode()
    yield "octal", "".join(f"\\{byte:03o}" for byte in raw).encode()
    yield "in a URL", quote(text, safe="").encode()
    yield "in a URL, lower", quote(text, safe="").lower().encode()
    yield "reversed", text[::-1].encode()
    yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """At each of the three alignments, without the characters that neighbours decide."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        inner = encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        yield f"base64 at {shift}", inner
        yield f"base64url at {shift}", inner.translate(bytes.maketrans(b"+/", b"-_"))


def dump(behind: Behind, cluster: str, folder: Path) -> Path:
    """Every database of a cluster, as its superuser sees it, in a file of `folder`."""
    binaries = install.find(install.POSTGRES)
    assert binaries, "PostgreSQL's programs are not found"
    how = conninfo_to_dict(behind.url("postgres", cluster))
    address = [f"--host={how['host']}", f"--port={how['port']}", f"--username={how['user']}"]
    written = folder / f"{cluster}.sql"
    with written.open("wb") as output:
        subprocess.run(
            [str(binaries / "pg_dumpall"), "--no-password", "--inserts", *address],
            env={"PGPASSWORD": str(how["password"]), "PATH": "/usr/bin:/bin"},
            stdout=output, check=True, timeout=600,
        )  # fmt: skip
    return written


def search(traces: Mapping[bytes, str], where: Iterable[Path]) -> list[str]:
    """What is found in these files and in the folders' files, "full name utf-8 in dump.sql"."""
    sought = list(traces)
    automaton = BytesAhoCorasick(sought)
    found = set()
    for file in _files(where):
        for number, _, _ in automaton.find_matches_as_indexes(_content(file)):
            found.add(f"{traces[sought[number]]} in {file.name}")
    return sorted(found)


def _files(where: Iterable[Path]) -> Iterator[Path]:
    for place in where:
        yield from filter(Path.is_file, place.rglob("*")) if place.is_dir() else [place]


def _content(file: Path) -> bytes | mmap:
    """Not read into memory; empty of a file that went away meanwhile, as the broker's do."""
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            return mmap(stream.fileno(), size, access=ACCESS_READ) if size else b""
    except FileNotFoundError:
        return b""
