"""Certificates for servers on loopback, signed by the test's own authority, made by openssl."""

import shutil
import subprocess
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = {names}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


class Authority:
    """An authority. Clients that trust `certificate` (a PEM file) trust its servers."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self.certificate, self._key = self._request(name, "authority", "DNS:localhost")

    def sign(self, names: str = "IP:127.0.0.1,DNS:localhost", name: str = "server") -> tuple[Path, Path]:
        """Make a certificate for a server with these names. Return it and its key, as PEM files."""
        return self._request(name, "server", names, "-CA", str(self.certificate), "-CAkey", str(self._key))

    def _request(self, name: str, extensions: str, names: str, *signed_by: str) -> tuple[Path, Path]:
        openssl = shutil.which("openssl")
        assert openssl is not None, "openssl is missing: apt-get install openssl"
        certificate, key, config = (self._directory / f"{name}.{ending}" for ending in ("crt", "key", "cnf"))
        config.write_text(_CONFIG.format(name=name, names=names))
        subprocess.run(
            [
                *(
                    openssl,
                    "req",
                    "-x509",
                    "-new",
                    "-noenc",
                    "-days",
                    "2",
                    "-config",
                    config,
                    "-extensions",
                    extensions,
                ),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", key, "-out", certificate),
                *signed_by,
            ],
            check=True,
            capture_output=True,
        )
        return certificate, key
