"""What the agent can read: one folder per system. Knows nothing of workers, Slack or the model."""
