"""Who may do what: tokens and their scopes, whoever calls, and how often they may."""
