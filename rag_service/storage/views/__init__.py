"""Views of the rows that find passages: vectors, words, and how words are spelled."""
