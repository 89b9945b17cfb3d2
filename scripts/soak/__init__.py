"""Running the nodes for hours while what happens on robots happens to them."""
