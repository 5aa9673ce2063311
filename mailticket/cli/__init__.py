"""The commands, one module per group; no rules in here."""
