"""Ways to set the noise level of each frame, one file per published system."""
