"""The chat dialect: bots, answers, conversations, contacts and webhooks, in camel case."""
