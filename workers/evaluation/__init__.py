"""Cases, graded: where Gumshoe is good, where it is learning and where it is out of reach. Knows nothing of Slack."""
