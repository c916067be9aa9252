"""People, of the whole installation and of no bot.

What is known of somebody comes in, one by one (`fields`) or as a CSV file (`files`); out go
contacts, with the conversations in which they have spoken. `store` is where they are kept, and
`changes` has the rules of a change.
"""
