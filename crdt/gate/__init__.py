"""The gate: which updates of strangers may become part of a document."""
