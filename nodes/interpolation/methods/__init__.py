"""Ways to make frames between frames, one file per published system."""
