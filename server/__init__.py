"""Everything of Manyhands that touches the network, the disk or the clock."""
