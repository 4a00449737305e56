"""What is served over plain HTTP: the REST API, health, pages."""
