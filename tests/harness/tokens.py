"""An application that signs tokens: its keys, its tokens, and the key set that it publishes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache, cached_property
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

SECRET = "what the application and this server both know, and nobody else in the whole world"
NOW = 1_900_000_000.0


class SigningKey:
    """One key pair, with its algorithm. It is made when it is first used, because that is slow."""

    def __init__(self, kind: str, name: str) -> None:
        self.name = name
        self.algorithm = kind

    @cached_property
    def private(self) -> Any:
        return ec.generate_private_key(ec.SECP256R1()) if self.algorithm == "ES256" else _rsa()

    @cached_property
    def pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        pem: bytes = self.private.public_key().public_bytes(serialization.Encoding.PEM, form)
        return pem

    def sign(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers={"kid": self.name, **(header or {})})

    @property
    def jwk(self) -> dict[str, Any]:
        algorithm = jwt.algorithms.get_default_algorithms()[self.algorithm]
        return {**algorithm.to_jwk(self.private.public_key(), as_dict=True), "kid": self.name, "use": "sig"}


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def signing_key(kind: str = "RS256", name: str = "first") -> SigningKey:
    """Return the same key each time."""
    return SigningKey(kind, name)


def token(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """Make a token that is good at NOW, unless `claims` say otherwise. None omits a claim."""
    full = {"sub": "ann", "name": "Ann", "exp": NOW + 3600, **claims}
    body = json.dumps({name: value for name, value in full.items() if value is not None}).encode()
    return jwt.PyJWS().encode(body, secret, algorithm=algorithm)


class KeySet:
    """A key set on a real port. `keys` may change, `asked` counts requests, `away` answers 503."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys: list[dict[str, Any]] = [key.jwk for key in keys]
        self.asked = 0
        self.away = False
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = json.dumps({"keys": self.keys}).encode()
        status = b"503 Away" if self.away else b"200 OK"
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % (status, len(body)) + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def published(*keys: SigningKey) -> AsyncIterator[KeySet]:
    """Serve a key set for a while."""
    key_set = KeySet(*keys)
    server = await asyncio.start_server(key_set.answer, "127.0.0.1", 0)
    async with server:
        key_set.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
        yield key_set
