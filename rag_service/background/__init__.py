"""What a server does beside its requests: jobs in two lanes, sealing, webhooks and upkeep.

A child process at low priority is given orders (`orders`), so that neither the interpreter nor the
priority of requests is shared with it. A batch is spooled to disk before it is promised (`jobs`).
"""
