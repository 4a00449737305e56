"""How the tables came to be, one revision after the other, and the code that brings a database up to date."""
