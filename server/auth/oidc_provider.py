"""The identity provider: its description (OpenID Connect Discovery), and the requests to it.

The description is fetched when it is needed, and kept for an hour. Signatures are checked with the
keys that the provider publishes. Only RS256 and ES256 are accepted, whatever the provider offers.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from crdt.errors import Unavailable
from server.auth.base import unauthenticated
from server.auth.jwks import FETCH_SECONDS, JwksKeys, fetch_json
from server.auth.tokens import Rules, read_token

KEPT_SECONDS = 3600.0

PAUSE_SECONDS = 3.0
"""Seconds without new requests after the provider did not answer.

So people who want to sign in meanwhile get a refusal at once, not after a time-out of their own.
"""


@dataclass(frozen=True, slots=True)
class OidcClient:
    """This server as the provider knows it.

    The provider sends people back to `redirect_uri`. `secret` is None for a public client.
    """

    issuer: str
    client_id: str
    secret: str | None = field(repr=False)
    scopes: str
    redirect_uri: str


class OidcProvider:
    """One provider. `clock` returns monotonic seconds, `now` unix seconds."""

    def __init__(self, client: OidcClient, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._now = now
        self._description: Mapping[str, Any] | None = None
        self._described_at = 0.0
        self._failed_at: float | None = None
        self._asking = asyncio.Lock()
        self._keys = JwksKeys(self._jwks_url, clock)

    @property
    def issuer(self) -> str:
        return self._client.issuer

    async def authorization_url(self, state: str, nonce: str, verifier: str) -> str:
        """Return the address where people sign in. Raises Unavailable."""
        url = await self._endpoint("authorization_endpoint")
        async with self._session({}) as session:
            made, _ = session.create_authorization_url(url, state=state, nonce=nonce, code_verifier=verifier)
        return str(made)

    async def redeem(self, code: str, issuer: str | None, verifier: str) -> Mapping[str, Any]:
        """Turn a code into verified claims.

        Raises ProtocolError(unauthenticated) or Unavailable.
        """
        description = await self._describe()
        if issuer != self.issuer and (issuer or description.get("authorization_response_iss_parameter_supported")):
            raise unauthenticated("The answer comes from another identity provider than the one that was asked.")
        tokens = await self._exchange(description, code, verifier)
        rules = Rules(self.issuer, self._client.client_id)
        claims = await read_token(str(tokens.get("id_token", "")), self._keys, rules, self._now())
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise unauthenticated("The identity provider does not say who you are (`sub`).")
        if claims.get("azp", self._client.client_id) != self._client.client_id:
            raise unauthenticated("The identity provider's answer is meant for another application (`azp`).")
        return {**await self._further(description, tokens, claims), **claims}

    async def _exchange(self, description: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        try:
            async with self._session(description) as session:
                tokens = await session.fetch_token(
                    await self._endpoint("token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
        except OAuthError:
            raise unauthenticated("The identity provider does not know this sign-in any more. Begin again.") from None
        except (httpx2.HTTPError, ValueError) as error:
            raise Unavailable(f"The identity provider does not answer ({type(error).__name__}).") from None
        return dict(tokens)

    async def _further(
        self, description: Mapping[str, Any], tokens: Mapping[str, Any], claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return claims from the provider's userinfo. Some providers put names only there."""
        url, access_token = description.get("userinfo_endpoint"), tokens.get("access_token")
        if "name" in claims or not isinstance(url, str) or not isinstance(access_token, str):
            return {}
        try:
            told = await fetch_json(url, {"Authorization": f"Bearer {access_token}"})
        except Unavailable:
            return {}  # nobody is refused for want of a name
        return told if told.get("sub") == claims["sub"] else {}

    async def _endpoint(self, name: str) -> str:
        url = (await self._describe()).get(name)
        if not isinstance(url, str):
            raise Unavailable(f"The identity provider's description has no {name}.")
        return url

    async def _jwks_url(self) -> str:
        return await self._endpoint("jwks_uri")

    async def _describe(self) -> Mapping[str, Any]:
        async with self._asking:
            if self._description is None or self._clock() - self._described_at >= KEPT_SECONDS:
                if self._failed_at is not None and self._clock() - self._failed_at < PAUSE_SECONDS:
                    raise Unavailable("The identity provider did not answer a moment ago.")
                self._failed_at = self._clock()
                self._description = await self._fetch()
                self._described_at, self._failed_at = self._clock(), None
            return self._description

    async def _fetch(self) -> Mapping[str, Any]:
        description = await fetch_json(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if description.get("issuer") != self.issuer:
            raise Unavailable("The identity provider calls itself by another name than MANYHANDS_OIDC_ISSUER.")
        return description

    def _session(self, description: Mapping[str, Any]) -> Any:
        methods = description.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        return AsyncOAuth2Client(
            client_id=self._client.client_id,
            client_secret=self._client.secret,
            token_endpoint_auth_method=method if self._client.secret else "none",
            scope=self._client.scopes,
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            timeout=FETCH_SECONDS,
        )
