"""A process apart, with limits on memory and time, for work on bytes that can crash, hang or starve whoever decodes them.

Why it exists: pycrdt is native code that strangers' bytes have brought down (stack overflow, abort,
endless loops), it holds the interpreter's lock in every call, and images are no better. What dies
here is a worker, which is replaced; the serving process learns it as an error. It is a wall against
accidents and hostile *data*, not a jail for hostile *code*.
"""

from server.sandbox.errors import WANT_OF_MEMORY, SandboxRejected
from server.sandbox.sandbox import ImageFacts, Sandbox
from server.sandbox.trials import Trial

__all__ = ["WANT_OF_MEMORY", "ImageFacts", "Sandbox", "SandboxRejected", "Trial"]
