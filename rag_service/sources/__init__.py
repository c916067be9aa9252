"""Where documents are before they are pushed: a folder becomes a stream of lines (`folder`)."""
