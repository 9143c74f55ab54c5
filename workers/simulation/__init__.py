"""A company that breaks on demand, served as real APIs over HTTP. Only URLs connect it with the product."""
