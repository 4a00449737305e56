"""An OpenID Connect provider on a real port.

It has discovery, the authorization code with PKCE, real RS256 signatures, a key set and userinfo.

The provider is as strict as the good ones: a code is good once, for the client, the address and the
verifier that it was made for. Tests can change what the provider says.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.harness.live_server import listening
from tests.harness.tokens import SigningKey, signing_key

CLIENT_ID, CLIENT_SECRET = "manyhands", "s3cret of the client"


@dataclass
class IdentityProvider:
    """A provider that signs everybody at /authorize in as `person` at once.

    `claims` go into ID tokens unchanged, and override the right ones.
    """

    person: dict[str, Any] = field(default_factory=lambda: {"sub": "248289", "name": "Ann"})
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    key: SigningKey = field(default_factory=signing_key)
    url: str = ""
    now: float = field(default_factory=time.time)
    away: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
                Route("/userinfo", self._userinfo),
            ]
        )

    async def _describe(self, _request: Request) -> Response:
        if self.away:
            return Response(status_code=503)
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "authorization_response_iss_parameter_supported": True,
                "id_token_signing_alg_values_supported": ["RS256", "none"],
            }
        )

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked.get("client_id") != CLIENT_ID or asked.get("code_challenge_method") != "S256":
            return Response("who?", 400)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"], "iss": self.url})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    async def _token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        self.said.append(form.get("code", ""))
        asked = self.codes.pop(form.get("code", ""), None)
        if request.headers.get("authorization") != _basic() or form.get("grant_type") != "authorization_code":
            return JSONResponse({"error": "invalid_client"}, 401)
        challenge = _challenge(form.get("code_verifier", ""))
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri") or asked["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {"iss": self.url, "aud": CLIENT_ID, "nonce": asked["nonce"], "iat": self.now, "exp": self.now + 300}
        return JSONResponse(
            {
                "access_token": "access-" + self.person["sub"],
                "token_type": "Bearer",
                "expires_in": 300,
                "id_token": self.key.sign(**{**claims, **self.person, **self.claims}),
            }
        )

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [signing_key().jwk]})

    async def _userinfo(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer access-" + self.person["sub"]:
            return Response(status_code=401)
        return JSONResponse({"sub": self.person["sub"], **self.userinfo})


def _basic() -> str:
    return "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def query_of(url: str) -> dict[str, str]:
    """Return the query of an address."""
    return {name: unquote(values[0]) for name, values in parse_qs(urlsplit(url).query).items()}


@asynccontextmanager
async def identity_provider(**options: Any) -> AsyncIterator[IdentityProvider]:
    """Run one for a while."""
    provider = IdentityProvider(**options)
    async with listening(provider.app(), 2**20) as port:
        provider.url = f"http://127.0.0.1:{port}"
        yield provider
