"""Settings: their models, the loader, and every mistake reported at once."""
