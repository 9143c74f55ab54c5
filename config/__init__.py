"""What an operator edits: settings from the environment, one file per customer, logging. Imports nothing of ours."""
