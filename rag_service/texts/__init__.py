"""What all rooms know of text: scripts, sentences, stems, and cells of spreadsheets."""
