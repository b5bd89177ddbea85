"""Documents from outside: files and web pages in, text and metadata out."""
