"""The candidates of a question -> their order, and whether they answer it. Pure."""
