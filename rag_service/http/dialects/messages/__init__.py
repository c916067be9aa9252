"""The messages dialect: messages and the feed of what happened."""
