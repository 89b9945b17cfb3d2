"""Many recordings: units of work, the engines that share them out, and results kept once."""
