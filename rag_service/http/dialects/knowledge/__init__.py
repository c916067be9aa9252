"""The knowledge dialect: documents, batches, search, transcripts and leads."""
