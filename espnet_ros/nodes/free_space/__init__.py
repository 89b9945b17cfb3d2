"""What the free space node is made of."""
