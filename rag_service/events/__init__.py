"""What happened.

It is noted in the transaction of the change (`happenings`). Out it goes as a feed (`feed`,
`fan_out`) and to webhooks: `webhooks` manages them, and `deliveries` gives out what they are owed.
`store` and `poster` are what it needs of others.
"""
