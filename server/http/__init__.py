"""HTTP: the REST API, the pages, the sign-in, and the health of the process."""
