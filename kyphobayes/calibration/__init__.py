"""Simulation-based calibration: whether posteriors are what they say they are, whatever the data are."""
