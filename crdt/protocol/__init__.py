"""Values of the protocols: batches, rows, messages, requests, and the hints between nodes."""
