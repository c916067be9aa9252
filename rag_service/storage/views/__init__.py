"""Indexes of chunks, vectors and words: views of the rows, whatever the rows are in."""
