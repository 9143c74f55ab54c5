"""Claims about Gumshoe, one package a part."""
