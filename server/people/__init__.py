"""People and documents: who may do what, who shares with whom, and the ways in. How somebody is recognised is server/auth/."""
