"""Finding text that a model or the webui would read as structure, and making it harmless while it stays readable.

Text is compared by how it looks: compatibility forms (full width, mathematical letters), letters of other scripts
that look like Latin capitals, and invisible signs in between make no difference.
"""

from __future__ import annotations

import bisect
import functools
import re
import unicodedata
from collections.abc import Callable

_LOOKS_LIKE = {
    look_alike: plain
    for plain, look_alikes in {
        "A": "АΑᎪꓮⲀ", "B": "ВΒᏴꓐⲂ", "C": "СϹᏟꓚⲤ", "D": "ᎠꓓÐƉ", "E": "ЕΕᎬꓰⲈ", "G": "ԌᏀꓖ", "I": "ІΙӀᏆꓲǀӏⲒ", "N": "ΝꓠⲚ",
        "O": "ОΟՕꓳⲞ", "P": "РΡᏢꓑⲢ", "R": "ᎡᏒꓣ", "S": "ЅᏚՏꓢ", "T": "ТΤᎢꓔⲦ", "U": "ՍႮꓴ", "X": "ХΧꓫⲬ", "Y": "УΥҮꓬⲨ",
        ":": "∶꞉˸ː׃", "<": "‹〈⟨˂ᐸ", ">": "›〉⟩˃ᐳ", "/": "⁄∕", "|": "∣│❘", "s": "ѕꜱ", "_": "ˍ",
    }.items()
    for look_alike in look_alikes
}  # fmt: skip
#: Letters that Unicode itself calls a Latin capital: struck through, small, negative squared, of a flag.
_CAPITAL = re.compile(
    "(?:.*LATIN (?:CAPITAL LETTER|LETTER SMALL CAPITAL)|REGIONAL INDICATOR SYMBOL LETTER) ([A-Z])(?: WITH .*)?"
)
#: Letters and a symbol by category, blank to the eye: the fillers of Hangul have no width, empty Braille has one.
_BLANK = {"\u115f": "", "\u1160": "", "\u3164": "", "\uffa0": "", "\u2800": " "}
#: Signs of ASCII that pass for a capital in a delimiter or a turn.
_TWINS = {"I": "[Il1|]", "O": "[O0]", "S": "[Ss]"}
#: Up to one in so many signs is replaced one by one, which is faster then.
_FEW = 16
_LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"

#: What may stand between two letters of a delimiter without hiding it: a line end with the blanks around it.
_BREAK = r"(?:[ \t]*\n[ \t\n]*)?"


def _spread(word: str) -> str:
    return _BREAK.join(_letters(word))


def _letters(word: str) -> list[str]:
    return [_TWINS.get(letter, letter) for letter in word]


_TAILS = ("INPUT", "CONTEXT", "INSTRUCTION")
_DELIMITERS = tuple(f"{_spread(head)}(?={_BREAK}(?:{'|'.join(map(_spread, _TAILS))}))" for head in ("BEGIN", "END"))
#: One sign, and what follows it: a blank put between them breaks the mark.
_SPECIALS = (
    r"<(?=/?s>|unk>|pad>|/?<?/?SYS>|__media__>|USER>|BOT>|user>|bot>|\|[A-Za-z_-]{1,40}\|>)",
    r"\[(?=/?INST\])",
    r"\{(?=\{(?:user|char)\}\})",
)
_PHRASES = ("fake(?= (?:user|assistant) message replace me)", "this(?= will get deleted)")
_ROLES = tuple("".join(_letters(role)) for role in ("USER", "ASSISTANT"))
#: By what breaks them. Each pattern is searched for by itself: all begin with one plain sign, which is found many times
#: faster than any of several. No two of them can overlap.
_HYPHENED = tuple(map(re.compile, (*_DELIMITERS, *_PHRASES)))
_SPACED = tuple(map(re.compile, _SPECIALS))
_TURNS = tuple(re.compile(f"{role}(?=:)") for role in _ROLES)


@functools.lru_cache(maxsize=4096)
def _look(character: str) -> str:
    """What ``character`` looks like in ASCII; "" where it cannot be seen; itself where it looks like nothing else."""
    if character in _LINE_ENDS:
        return "\n"
    if character in _BLANK:
        return _BLANK[character]
    if character in _LOOKS_LIKE:
        return _LOOKS_LIKE[character]
    if capital := _CAPITAL.fullmatch(unicodedata.name(character, "")):
        return capital[1]
    kind = unicodedata.category(character)
    if kind in ("Mn", "Me", "Cf", "Cs", "Co", "Cn") or (kind == "Cc" and character not in "\n\t"):
        return ""
    if kind == "Zs":
        return " "
    plain = "".join(
        _LOOKS_LIKE.get(part, part)
        for part in unicodedata.normalize("NFKD", character)
        if unicodedata.category(part) not in ("Mn", "Me", "Cf")
    )
    return plain if plain.isascii() else character


def _replaced(text: str, looks: dict[str, str]) -> str:
    if sum(map(text.count, looks)) < len(text) // _FEW:
        return re.sub(f"[{re.escape(''.join(looks))}]", lambda found: looks[found[0]], text)
    return text.translate({ord(sign): look for sign, look in looks.items()})


class _Looks:
    """How a text looks, and where in the text each sign of that stands."""

    def __init__(self, text: str) -> None:
        self.looks, self._odd = text, ""
        if text.isascii() and text.replace("\n", " ").replace("\t", " ").isprintable():
            return
        looks = {sign: look for sign in set(text) if (look := _look(sign)) != sign}
        if looks:
            self.looks = _replaced(text, looks)
            self._text, self._looks = text, looks
            self._odd = "".join(sign for sign, look in looks.items() if len(look) != 1)

    def places(self) -> Callable[[int], int]:
        """From a place in ``looks`` to the place in the text of the sign that looks so."""
        if not self._odd:
            return int
        #: for each sign that looks like none or several: the first place in ``looks`` behind it, and its own
        behind, at, more = [], [], 0
        for found in re.finditer(f"[{re.escape(self._odd)}]", self._text):
            more += len(self._looks[found[0]]) - 1
            behind.append(found.end() + more)
            at.append(found.end())

        def place(seen: int) -> int:
            last = bisect.bisect_right(behind, seen)
            before = at[last - 1] + seen - behind[last - 1] if last else seen
            return min(before, at[last] - 1) if last < len(at) else before

        return place


def defuse_text(text: str, starts_line: bool = True) -> tuple[str, int]:
    """``text`` with every mark of structure broken by one visible sign, and how many there were.

    A hyphen breaks a delimiter (``BEGIN-INPUT``) or a phrase, a blank every other mark (``< /s>``, ``USER :``).
    ``starts_line``: the text stands at the start of a line, where ``USER:`` begins a turn.
    """
    count = 0
    while True:
        seen = _Looks(text)
        marks = _marks(seen.looks, starts_line)
        if not marks:
            return text, count
        parts, start, place = [], 0, seen.places()
        for behind, sign in marks:
            end = place(behind - 1) + 1
            parts += [text[start:end], sign]
            start = end
        text = "".join(parts) + text[start:]
        count += len(marks)


def _marks(looks: str, starts_line: bool) -> list[tuple[int, str]]:
    """Where the sign that breaks a mark goes, and the sign, in order."""
    marks = [(found.end(), "-") for pattern in _HYPHENED for found in pattern.finditer(looks)]
    marks += [(found.end(), " ") for pattern in _SPACED for found in pattern.finditer(looks)]
    if starts_line:
        turns = (found for pattern in _TURNS for found in pattern.finditer(looks))
        marks += [(found.end(), " ") for found in turns if _begins_line(looks, found.start())]
    return sorted(marks)


def _begins_line(looks: str, place: int) -> bool:
    """True where there are only blanks before ``place`` in its line."""
    while place and looks[place - 1] in " \t":
        place -= 1
    return not place or looks[place - 1] == "\n"


def looks_like_a_turn(word: str) -> bool:
    """True for a metadata key that, with its colon, would begin a turn."""
    return re.fullmatch("|".join(_ROLES), _Looks(word).looks.strip()) is not None
