"""What is done with a reply over documents: it is made harmless, and its sources are checked."""
