"""The front desk: Slack, webhooks, web pages, rendering, the command line. Knows neither the agent nor a model."""
