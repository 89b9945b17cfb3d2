"""From torch to the model file: export, published weights, comparison."""
