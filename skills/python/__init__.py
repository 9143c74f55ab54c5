"""What Python programs leave behind in their logs."""
