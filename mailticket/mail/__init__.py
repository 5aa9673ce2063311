"""Bytes to values and back: reading and writing mail. Pure; never asks the clock, never raises on input."""
