"""The street, the nodes and a picture of what they see, in one command."""
