"""The token that must come with a document's address when its link asks for one: derived, so that it can be shown again, never stored.

Whoever reads the database finds only the token's hash; whoever has the secret key can derive it.
"""

import base64
import hashlib
import hmac

from crdt.ids import DocumentId
from server.store.sharing_base import Link

TOKEN_CHARACTERS = 22
"""Of URL-safe base64: 132 bits."""


def derive_token(key: bytes, document_id: DocumentId, generation: int) -> str:
    """The token of one generation of a document's link."""
    # Neither of the two can hold a colon.
    code = hmac.new(key, f"link:{document_id}:{generation}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(code).decode()[:TOKEN_CHARACTERS]


def hash_token(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def opens(link: Link, token: str | None) -> bool:
    """Whether somebody who shows this, or nothing, comes by the link."""
    if link.role is None:
        return False
    if link.token_hash is None:
        return True
    return token is not None and hmac.compare_digest(hash_token(token), link.token_hash)
