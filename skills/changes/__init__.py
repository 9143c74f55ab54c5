"""What changed before the onset: one timeline out of rollouts, GitHub, Argo CD and feature flags."""
