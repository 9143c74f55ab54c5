"""Models behind one protocol. `claude` is the only importer of anthropic."""
