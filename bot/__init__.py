"""bot runs: settings, wiring, channels, intake, delivery, clock, simulator and command line."""
