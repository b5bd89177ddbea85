"""A turn of a chat whose tokens are words."""

from __future__ import annotations


class Turn:
    turns = 0
    limit_tokens = 400
    tokenizer_id = "words"

    def render(self, message, turns):
        return f"P USER: {message} ASSISTANT: "

    def count_tokens(self, text):
        return len(text.split())
