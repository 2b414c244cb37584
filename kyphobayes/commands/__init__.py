"""The commands of the command line, one file for each group; heavy modules are imported inside them."""
