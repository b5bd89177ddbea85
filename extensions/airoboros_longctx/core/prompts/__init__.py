"""The formats that the models were trained with, and the words of a question in them."""
