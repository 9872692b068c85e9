"""A certificate authority of this installation's own, and a certificate for each who speaks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crm_cli.local.files import write_private

_CA_LIFE = timedelta(days=3650)
_LIFE = timedelta(days=90)
_RENEW_BEFORE = timedelta(days=30)
# A clock that is a little behind must not refuse a fresh certificate.
_BACKDATED = timedelta(minutes=5)

# Signs documents, and is good for nothing else.
SIGNER = "signer"


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def provide(folder: Path, services: tuple[str, ...]) -> None:
    """Makes or renews ca, one certificate a service, Envoy's client certificate, the outside's and the one
    that documents are signed with, as <name>.pem and <name>.key in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = _load(folder, "ca") or _store(folder, "ca", _authority())
    issuer = authority.certificate
    for name in (*services, "envoy"):
        if not _is_good(folder, name, issuer):
            _store(folder, name, _leaf(authority, name, f"spiffe://crm/{name}"))
    if not _is_good(folder, SIGNER, issuer):
        _store(folder, SIGNER, _signer(authority))
    if not _is_good(folder, "edge", issuer):
        _store(folder, "edge", _leaf(authority, "localhost", None))


def _authority() -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CRM local authority")])
    builder = _builder(name, name, key.public_key(), _CA_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    return Identity(builder.sign(key, hashes.SHA256()), key)


def _leaf(authority: Identity, common_name: str, spiffe: str | None) -> Identity:
    """Services are servers and clients at once; the outside certificate (no SPIFFE id) only serves."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH]
    if spiffe:
        names.insert(0, x509.UniformResourceIdentifier(spiffe))
        uses.append(ExtendedKeyUsageOID.CLIENT_AUTH)
    signer = authority.key.public_key()
    builder = _builder(name, authority.certificate.subject, key.public_key(), _LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False
    )
    return Identity(builder.sign(authority.key, hashes.SHA256()), key)


def _signer(authority: Identity) -> Identity:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CRM document signer")])
    builder = _builder(name, authority.certificate.subject, key.public_key(), _LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(authority=False, commits=True), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False
    )
    return Identity(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(authority: bool, commits: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority, key_cert_sign=authority, crl_sign=authority,
        content_commitment=commits, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _is_good(folder: Path, name: str, issuer: x509.Certificate) -> bool:
    """Whether a certificate exists, is of this authority and lives long enough."""
    found = _load(folder, name)
    if found is None or found.certificate.not_valid_after_utc - datetime.now(UTC) < _RENEW_BEFORE:
        return False
    try:
        found.certificate.verify_directly_issued_by(issuer)
    except Exception:
        return False
    return True


def _load(folder: Path, name: str) -> Identity | None:
    pem, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    if not (pem.exists() and key_file.exists()):
        return None
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        return None
    return Identity(certificate, key)


def _store(folder: Path, name: str, made: Identity) -> Identity:
    key = made.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(folder / f"{name}.key", key.decode())
    (folder / f"{name}.pem").write_bytes(made.certificate.public_bytes(serialization.Encoding.PEM))
    return made
