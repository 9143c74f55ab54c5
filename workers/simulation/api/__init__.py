"""The world as objects of the Kubernetes API, at the world's now."""
