"""A document from its log: applying, replaying, setting aside, compacting."""
