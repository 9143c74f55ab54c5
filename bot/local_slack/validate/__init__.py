"""Block Kit as strictly as Slack: limits, required fields, which element goes where. Pure; in Slack's own words."""
