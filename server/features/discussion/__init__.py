"""Discussion: comments in threads beside the text, and inboxes of what concerns each person."""
