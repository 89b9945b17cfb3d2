"""How the street becomes an image and its labels."""
