"""The synthetic street: rendered camera images with exact labels and geometry."""
