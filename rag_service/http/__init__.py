"""HTTP: one module per resource. Handlers translate, call one use case, and return."""
