"""The protocols' values: batches, rows, messages, requests, and the hints between nodes."""
