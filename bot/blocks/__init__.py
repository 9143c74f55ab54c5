"""Domain records in, Block Kit out. Pure: no I/O, no clock, no Slack client; every Slack limit lives in `limits`."""
