"""The procedural world: seeded clips with sound and exact ground truth, for training, tests and demos."""
