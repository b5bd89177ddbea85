"""The parts of one model load: its plan, what is given to the host for it, and the live model."""
