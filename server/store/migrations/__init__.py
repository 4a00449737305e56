"""Migrations: the revisions that bring an older database's tables up to date, one by one."""
