"""The document from its log: replay, stand-ins, compaction."""
