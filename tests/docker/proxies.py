"""The proxy for tests: its own program, the file of ``docker/``, a certificate made here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from arena.embedded.ports import free_port, listens
from arena.embedded.processes import end, spawn
from inference.processes import wait_until
from tests.docker.edge import Edge

CADDY = Path(sys.prefix) / "bin" / "caddy"


def certificate(folder: Path, domain: str) -> tuple[Path, Path]:
    """Certificate and key, for a few days; it is signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def environment(folder: Path, edge: Edge, key: Path, web: str, public: Path) -> Mapping[str, str]:
    return {
        "LEHIA_DOMAIN": edge.domain,
        "LEHIA_TLS": f"{edge.certificate} {key}",
        "LEHIA_WEB": web,
        "LEHIA_PUBLIC": str(public),
        "LEHIA_HTTP_PORT": str(edge.http_port),
        "LEHIA_HTTPS_PORT": str(edge.https_port),
        "LEHIA_CADDY_ADMIN": f"unix/{folder / 'admin.sock'}",
        "LEHIA_CADDY_ALIVE": str(free_port()),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }


@contextmanager
def proxy(folder: Path, *, config: Path, domain: str, web: str, public: Path) -> Iterator[Edge]:
    pem, key = certificate(folder, domain)
    edge = Edge(domain, http_port=free_port(), https_port=free_port(), certificate=pem)
    env = environment(folder, edge, key, web, public)
    with (folder / "caddy.log").open("wb") as log:
        process = spawn([str(CADDY), "run", "--config", str(config)], env=env, output=log)
    try:
        up = wait_until(lambda: process.poll() is not None or listens(edge.https_port), within_s=30)
        assert up, (folder / "caddy.log").read_text()
        assert process.poll() is None, (folder / "caddy.log").read_text()
        yield edge
    finally:
        end(process)


def validate(config: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CADDY), "validate", "--config", str(config)],
        env=dict(env),
        capture_output=True,
        text=True,
        check=False,
    )
