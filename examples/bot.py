"""A bot that writes below a document, over REST: `python bot.py SERVER DOCUMENT WORDS`."""

import json
import os
import sys
import uuid
from urllib.request import Request, urlopen

server, document_id, words = sys.argv[1:]
request = Request(
    f"{server}/api/v1/documents/{document_id}/edits",
    json.dumps({"edits": [{"do": "append", "content": words}]}).encode(),
    {
        "Authorization": f"Bearer {os.environ['MANYHANDS_TOKEN']}",  # of `manyhands token create`
        "Content-Type": "application/json",
        "Idempotency-Key": uuid.uuid4().hex,  # sent again with the same one, the words are written once
    },
)
with urlopen(request, timeout=60) as answer:
    print("Written, and on disk:", json.load(answer)["revision"])
