"""``TextScraper``: the text of web pages, under the name that the card gives this tool. Off until settings allow it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ...core.errors import AiroborosLongctxError
from ...core.foreign_text import quoted
from ..runnable_tool import RunnableTool, ToolError

MOST_PAGES = 5


def web_page(fetch: Callable[[str, Callable[[], bool]], str]) -> RunnableTool:
    """``fetch`` takes an address, and what says whether nobody waits any more; it returns the text of what is there.

    It decides which addresses may be read, and raises AiroborosLongctxError with a sentence for one that may not or
    cannot.
    """

    def scrape(text: str, stopping: threading.Event) -> str:
        addresses = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        if not addresses:
            raise ToolError("No address was given; one a line, such as https://web.site/page, is needed.")
        if len(addresses) > MOST_PAGES:
            raise ToolError(f"{len(addresses)} lines were given; at most {MOST_PAGES} addresses, one a line, are read.")
        pages, problems = [], []
        for address in addresses:
            try:
                pages.append(f"From {quoted(address, 200)}:\n\n{fetch(address, stopping.is_set)}")
            except AiroborosLongctxError as error:
                problems.append(str(error))
        if not pages:
            raise ToolError(" ".join(problems))
        return "\n\n".join([*pages, *problems])

    return RunnableTool(
        "TextScraper",
        "Load one or more websites from the input string containing newline delimited links, where input is one or "
        "more links, and produces plain text output containing the content of the links.",
        scrape,
    )
