"""The same service in the words of the clients that exist already."""
