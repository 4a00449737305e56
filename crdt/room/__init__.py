"""Room: one document's people and their edits on one node, sans-IO."""
