"""One run on an incident: first look, hypotheses, challenge, conclusion. Knows neither Slack nor the simulation."""
