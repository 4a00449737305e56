"""The reference set-up on one machine's loopback, as `make cluster` and the cluster's tests start it."""
