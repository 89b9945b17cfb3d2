"""What stands along the street or drives on it."""
