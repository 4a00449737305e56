"""People and documents: access control, sharing, and the ways to be known here.

How somebody is recognised is server/auth/.
"""
