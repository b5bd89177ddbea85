"""Plans with tools, run: the steps that wait for nothing side by side, each within its limits."""
