"""The gate: the judge of updates that strangers send."""
