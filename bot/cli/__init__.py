"""`gumshoe ...`: one module a command, found by its name. The one place that composes everything."""
