"""The panel "Formats": the models' other trained formats and recipes, filled in, asked, read and run."""
