"""HTTP: one module a resource, in four dialects.

A handler translates, calls one use case, and returns. `app.create_app` is the whole of it;
`guarding` tells who calls, and what the caller may see.
"""
