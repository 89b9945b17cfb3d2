"""The networks, in torch, and their published checkpoints."""
