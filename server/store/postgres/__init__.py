"""PostgreSQL: the database as a server for any number of nodes.

`place` reads the URL, `server` checks the server and sets up sessions, `database` runs jobs, and
`append` is the hot path.
"""
