"""What a text is made of: scripts, words, sentences, cells. Pure."""
