"""Where attention should look: the steps of looking a fact up, as targets for single heads.

Left alone, a model this small needs thousands of steps before it finds out how to copy, and may never find out
how to tie a fact to its block. So while it learns, a few heads get an extra loss: minus the log of the attention
they pay to the right key. The weights of that loss are zero once the model has the idea.

A link is (guide, query position, key position). Each guide is one head of one layer.
"""

import torch

from demo.train import data, tokenizer

#: guide -> (layer, head); they build on one another from layer to layer
HEADS = {
    "previous": (0, 0),  # every token -> the token before it
    "second_last": (0, 1),  # every token -> the one before that
    "repeat": (1, 0),  # a token seen before -> what followed it then
    "bind": (1, 1),  # a fact's value, or "from" -> the source of its block
    "restate": (2, 2),  # reply, before the subject -> the subject in the question
    "look_up": (2, 0),  # reply, before the value -> the value in the document
    "recall": (2, 1),  # the value in the reply -> the value in the document
    "report": (3, 0),  # reply, before the source -> the value in the reply
}
Link = tuple[str, int, int]


class QuestionLinks:
    """Finds the links of a closed-context question in its token ids."""

    def __init__(self, pieces: tokenizer.Tokenizer):
        self.pieces = pieces
        self.is_id, self.from_id = pieces.encode("is")[0], pieces.encode("from")[0]
        self.colon, self.ask = pieces.encode("a:")[-1], pieces.encode("a?")[-1]
        self.begin, self.end = (pieces.pieces.piece_to_id(tag) for tag in ("BEGINCONTEXT", "ENDCONTEXT"))
        self.close = pieces.pieces.piece_to_id("ENDINPUT")
        if 0 in (self.begin, self.end):
            raise ValueError("the tokenizer does not know BEGINCONTEXT and ENDCONTEXT as single pieces")

    def __call__(self, question: data.Question, ids: list[int], prompt_tokens: int) -> list[Link]:
        """`ids` are prompt and reply; the reply starts at `prompt_tokens`."""
        links: list[Link] = []
        subject = self.pieces.encode(question.subject.split()[-1])[-1]
        source_at = asked_at = 0
        for at in range(1, prompt_tokens):
            if ids[at] in (self.begin, self.close):
                source_at = 0
            elif ids[at - 1] == self.colon and not source_at and self.begin in ids[max(0, at - 5) : at]:
                source_at = at
            elif source_at and (ids[at - 1] == self.is_id or ids[at] == self.from_id) and ids[at - 2] != self.end:
                links.append(("bind", at, source_at))
            if ids[at - 1] == self.is_id and ids[at - 2] == subject:
                asked_at = at
        is_at = ids.index(self.is_id, prompt_tokens)
        asking = [at for at in range(1, prompt_tokens) if ids[at] == self.ask and ids[at - 1] == subject]
        if asking:
            links.append(("restate", is_at - 2, asking[-1] - 1))
        if asked_at:
            links += [("look_up", is_at, asked_at), ("recall", is_at + 1, asked_at)]
            colons = [at for at in range(is_at, len(ids)) if ids[at] == self.colon]
            if len(colons) > 1:
                links.append(("report", colons[1], is_at + 1))
        return links


def attention_loss(attentions: tuple[torch.Tensor, ...], links: list[list[Link]]) -> tuple[torch.Tensor, dict]:
    """Mean over the guides of minus log attention, and the mean attention each guide's head pays.

    `attentions` holds (rows, heads, length, length) for each layer, `links` a list for each row.
    """
    length = attentions[0].shape[-1]
    losses, seen = [], {}
    for back, guide in ((1, "previous"), (2, "second_last")):
        layer, head = HEADS[guide]
        paid = attentions[layer][:, head].diagonal(-back, 1, 2)
        losses.append(-(paid.float() + 1e-6).log().mean())
        seen[guide] = paid.mean().item()
    for guide, (layer, head) in HEADS.items():
        where = [(row, query, key) for row, of_row in enumerate(links) for name, query, key in of_row if name == guide]
        where = [found for found in where if found[1] < length]
        if where:
            row, query, key = torch.tensor(where).T
            paid = attentions[layer][row, head, query, key].float()
            losses.append(-(paid + 1e-6).log().mean())
            seen[guide] = paid.mean().item()
    return torch.stack(losses).mean(), seen
