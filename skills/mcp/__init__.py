"""Any MCP server as a skill, by configuration: the tools that it declares read-only, or that the customer allows."""
