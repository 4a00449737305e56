"""Census of a document in the gate's index, for tests that compare two indexes."""

from crdt.gate.gate import Knowledge


def census(knowledge: Knowledge) -> dict[str, int]:
    """Return how much of each limited thing the document has, by the limit's name."""
    return {
        "client_ids": len(knowledge.state_vector),
        "root_names": len(knowledge.places.roots),
        "types": len(knowledge.places.types),
        "document_structs": knowledge.structs,
    }
