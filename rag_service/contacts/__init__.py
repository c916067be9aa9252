"""People, of the whole installation and of no bot: their fields, their files, and their store."""
