"""What the node says about itself: statistics, power, diagnostics."""
