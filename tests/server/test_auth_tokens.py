"""Tokens that another application signs: which are taken, and by what reason each of the others is refused."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Code, ProtocolError
from crdt.permissions import Role
from crdt.protocol.requests import Guest
from server.auth.base import Credentials, Identity, may_create
from server.auth.jwt import JwtAuthenticator
from server.auth.tokens import FixedKey, Rules, public_key, published_key, secret_key
from tests.harness.log_lines import log_lines
from tests.harness.tokens import NOW, SECRET, SigningKey, signing_key, token

ANY = Rules(None, None)


def authenticator(key: str | bytes = SECRET, rules: Rules = ANY) -> JwtAuthenticator:
    made = secret_key(key) if isinstance(key, str) else public_key(key.decode())
    return JwtAuthenticator(FixedKey(made), rules, lambda: NOW)


async def identify(text: str | None, key: str | bytes = SECRET, rules: Rules = ANY) -> Identity:
    return await authenticator(key, rules).identify(Credentials(None, text, Guest()))


async def reason(text: str | None, key: str | bytes = SECRET, rules: Rules = ANY) -> str:
    """Why it is refused; nothing of it may be repeated, to its bearer or in the log."""
    with log_lines() as lines, pytest.raises(ProtocolError) as refused:
        await identify(text, key, rules)
    assert refused.value.code is Code.UNAUTHENTICATED
    parts = [part for part in (text or "").split(".") if len(part) > 8]
    assert not any(part in refused.value.message + str(lines) for part in parts)
    return refused.value.message


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_a_sound_token_says_who_it_is() -> None:
    text = token(email="Ann@Example.org", color="#AABBCC", documents={"document-1": "viewer", "*": "commenter"})
    identity = await identify(text)
    assert (identity.user.user_id, identity.user.name, identity.user.color) == ("ann", "Ann", "#aabbcc")
    assert (identity.kind, identity.email, identity.expires_at) == ("jwt", "ann@example.org", NOW + 3600)
    assert identity.document_roles == {"document-1": Role.VIEWER, "*": Role.COMMENTER}
    assert not may_create(identity)


async def test_a_bare_token_is_enough() -> None:
    identity = await identify(token(name=None))
    assert identity.user.name == "Somebody"
    assert may_create(identity)
    assert identity.email is None


async def test_the_session_cookie_may_hold_it() -> None:
    identity = await authenticator().identify(Credentials(token(), None, Guest(name="Mallory")))
    assert identity.user.name == "Ann"


async def test_an_address_that_nobody_has_verified_is_none() -> None:
    assert (await identify(token(email="ann@example.org", email_verified=False))).email is None
    assert (await identify(token(email="ann@example.org", email_verified=1))).email is None
    assert (await identify(token(email="no address"))).email is None


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": NOW}, "expired"),
        ({"exp": NOW - 3600}, "expired"),
        ({"exp": None}, "does not say when it expires"),
        ({"exp": "soon"}, "`exp` is not a time"),
        ({"exp": True}, "`exp` is not a time"),
        ({"exp": -1}, "`exp` is not a time"),
        ({"exp": NOW + 25 * 3600}, "is valid for too long"),
        ({"exp": 2**53}, "`exp` is not a time"),
        ({"nbf": NOW + 120}, "not valid yet"),
        ({"iat": NOW + 120}, "not valid yet"),
        ({"nbf": "x"}, "`nbf` is not a time"),
        ({"aud": "another"}, "another audience"),
        ({"sub": None}, "`sub` must be"),
        ({"sub": ""}, "`sub` must be"),
        ({"sub": "a b"}, "`sub` must be"),
        ({"sub": "email:bob@example.org"}, "`sub` must be"),
        ({"sub": "a" * 129}, "`sub` must be"),
        ({"name": 7}, "`name` must be a text"),
        ({"color": ["#ffffff"]}, "`color` must be a text"),
        ({"documents": ["document-1"]}, "`documents` must be an object"),
        ({"documents": {"x": "viewer"}}, "neither a document's id"),
        ({"documents": {"document-1": "admin"}}, "a role that is none of"),
        ({"documents": {"document-1": None}}, "a role that is none of"),
        ({"documents": {f"document-{at}": "viewer" for at in range(301)}}, "300 roles at most"),
        ({"padding": "x" * 20_000}, "too long"),
    ],
)
async def test_claims_that_do_not_hold_are_refused_by_name(claims: dict[str, Any], words: str) -> None:
    assert words in await reason(token(**claims))


async def test_a_clock_that_is_a_little_ahead_is_forgiven() -> None:
    assert (await identify(token(iat=NOW + 20, nbf=NOW + 20))).user.user_id == "ann"


async def test_issuer_and_audience_must_be_those_that_are_wanted() -> None:
    rules = Rules("https://app.example", "manyhands")
    assert await identify(token(iss="https://app.example", aud=["other", "manyhands"]), rules=rules)
    assert "another issuer" in await reason(token(iss="https://evil.example", aud="manyhands"), rules=rules)
    assert "`iss`" in await reason(token(aud="manyhands"), rules=rules)
    assert "another audience" in await reason(token(iss="https://app.example", aud="other"), rules=rules)
    assert "`aud`" in await reason(token(iss="https://app.example"), rules=rules)


async def test_somebody_elses_signature_does_not_count() -> None:
    assert "signature" in await reason(
        token(secret="a secret of the same length, but another one, quite certainly, in the world")
    )
    head, body, signature = token().split(".")
    changed = part({"sub": "owner", "exp": NOW + 60})
    assert "signature" in await reason(f"{head}.{changed}.{signature}")
    assert "not signed" in await reason(f"{part({'alg': 'none'})}.{body}.")
    assert "not signed" in await reason(f"{part({'alg': 'NoNe'})}.{body}.")
    assert "not signed" in await reason(f"{part({'alg': None})}.{body}.{signature}")
    assert "not signed with HS256" in await reason(token(algorithm="HS384"))


@pytest.mark.parametrize("kind", ["RS256", "ES256"])
async def test_a_public_key_is_good_for_its_own_algorithm_only(kind: str) -> None:
    key = signing_key(kind)
    assert (await identify(key.sign(sub="ann", exp=NOW + 60), key.pem)).user.user_id == "ann"
    # The classic confusion: the public key, which everybody has, used as a secret.
    body = part({"sub": "ann", "exp": NOW + 60})
    head = part({"alg": "HS256", "typ": "JWT"})
    assert f"not signed with {kind}" in await reason(f"{head}.{body}.{_hmac(key, head, body)}", key.pem)
    other = signing_key("ES256" if kind == "RS256" else "RS256")
    assert "not signed with" in await reason(other.sign(sub="ann", exp=NOW + 60), key.pem)
    assert "signature" in await reason(signing_key(kind, "another").sign(sub="ann", exp=NOW + 60), key.pem)


async def test_keys_that_a_token_brings_along_are_not_looked_at() -> None:
    mine = signing_key("RS256", "mallory")
    text = mine.sign({"jwk": mine.jwk, "jku": "http://127.0.0.1:1/keys"}, sub="ann", exp=NOW + 60)
    assert "signature" in await reason(text, signing_key().pem)


def test_weak_keys_are_not_taken() -> None:
    with pytest.raises(ValueError, match="32"):
        secret_key("short")
    with pytest.raises(ValueError, match="2048"):
        public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")
    assert published_key({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}) is None
    assert published_key({**signing_key().jwk, "use": "enc"}) is None
    assert published_key({**signing_key().jwk, "alg": "PS256"}) is None
    assert published_key({"kty": "RSA", "n": 7}) is None


@pytest.mark.parametrize("text", [None, "", "x", "a.b.c", "....", "e30.e30.", "é.é.é", "null", part([]) + ".e30.x"])
async def test_what_is_no_token_is_refused(text: str | None) -> None:
    assert await reason(text)


@given(st.text(max_size=200) | st.lists(st.binary(max_size=40), min_size=3, max_size=3).map(
    lambda parts: ".".join(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts)
))  # fmt: skip
async def test_any_text_is_an_identity_or_a_refusal(text: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        await identify(text)
    assert refused.value.code is Code.UNAUTHENTICATED


@given(st.dictionaries(
    st.sampled_from(["sub", "name", "color", "email", "exp", "nbf", "iat", "documents", "aud", "iss", "email_verified"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=6,
    ),
))  # fmt: skip
async def test_any_signed_claims_are_an_identity_or_a_refusal(claims: dict[str, Any]) -> None:
    text = token(**{"exp": NOW + 60, **claims})
    try:
        expires_at = (await identify(text)).expires_at
    except ProtocolError as refused:
        code: Code | None = refused.code
    else:
        code = None
        assert expires_at is not None
        assert NOW < expires_at < NOW + 25 * 3600
    assert code in (None, Code.UNAUTHENTICATED)


def _hmac(key: SigningKey, head: str, body: str) -> str:
    code = hmac.new(key.pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(code).decode().rstrip("=")
