"""What the skills of language runtimes share: whose logs they read, traces grouped, and the skill around both."""
