"""What Go programs leave behind in their logs."""
