"""What the verbs of the command line do; only these modules import the libraries."""
