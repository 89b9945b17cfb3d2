"""What messages hold: images, geometry, labels, stamps."""
