"""What reads and writes text: embedding models, answer models, and cross-encoders."""
