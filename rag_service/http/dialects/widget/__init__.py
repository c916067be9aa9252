"""The door of visitors: `/widget.js` on any page, and the routes that it calls.

The key on the page is public. From pages of the origins it was made for it asks, rates, reads and
deletes one conversation, its visitor's own, and it opens nothing else.
"""
