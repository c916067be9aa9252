"""Where documents come from: a stream of pushes."""
