"""What numbers a file or a person is believed."""

#: More than any published factor, and far from where positions lose all meaning.
LARGEST_FACTOR = 1024.0
LARGEST_COUNT = 2**31 - 1
