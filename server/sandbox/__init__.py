"""Worker processes, limited in memory and time, for bytes that can crash or hang their decoder.

pycrdt is native code, and strangers' bytes have brought it down (stack overflow, abort, endless
loops). It also holds the interpreter's lock in every call. Images are no better. A worker that dies
is replaced, and the serving process gets an error. The sandbox protects against accidents and
hostile *data*. It is not a jail for hostile *code*.
"""

from typing import TYPE_CHECKING

from server.sandbox.messages import WANT_OF_MEMORY, ImageFacts, SandboxRejected, Trial

if TYPE_CHECKING:
    from server.sandbox.sandbox import Sandbox

__all__ = ["WANT_OF_MEMORY", "ImageFacts", "Sandbox", "SandboxRejected", "Trial"]


def __getattr__(name: str) -> object:
    """Import `Sandbox` when it is asked for. Workers never ask, and would start more slowly."""
    if name != "Sandbox":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from server.sandbox.sandbox import Sandbox

    return Sandbox
