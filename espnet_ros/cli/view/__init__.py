"""``espnet-ros view``: the live view in a browser."""
