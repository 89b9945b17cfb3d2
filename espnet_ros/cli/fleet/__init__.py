"""What commands share that give units of work to an engine."""
