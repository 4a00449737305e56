"""Reference set-up on one machine's loopback, for `make cluster` and for the cluster's tests."""
