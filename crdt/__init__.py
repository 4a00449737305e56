"""The replicated document and its protocol: pure, without I/O and without a clock."""
