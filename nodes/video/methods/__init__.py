"""Ways to find scene cuts, one file each."""
