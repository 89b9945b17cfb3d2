"""What a training sees: samples that are varied, in batches; labels that a network guessed."""
