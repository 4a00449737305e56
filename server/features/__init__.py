"""Features on top of documents: each is a folder with its rules and operations.

Nothing below imports them. `APIS` are the classes that declare operations, those of the features
included, in the order of the table in server/PROTOCOL.md.
"""

from server.features.discussion.inbox import InboxApi
from server.features.discussion.threads import DiscussionApi
from server.http.site import APIS as BELOW

APIS = (*BELOW, DiscussionApi, InboxApi)
