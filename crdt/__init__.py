"""The replicated document and its protocol: pure, sans-IO, without a clock."""
