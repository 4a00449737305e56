"""Everything to run Manyhands with: containers, balancers, services."""
