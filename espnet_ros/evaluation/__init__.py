"""How good masks are: confusion matrices, intersection over union, reports; numpy only."""
