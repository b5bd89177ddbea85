"""The tools that ship, a file each."""
