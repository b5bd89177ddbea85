"""Which passages matter for a question: BM25, counting the question's words alone.

S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), equation 3.15, with the
inverse document frequency and without the constant factor of Lucene's BM25Similarity, which is never negative.
"""

from __future__ import annotations

import bisect
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

#: Lucene's defaults.
K1, B = 1.2, 0.75
#: A question is short; of a pasted text so many words are looked for.
MOST_TERMS = 48
#: Writing without blanks between words: Thai, Chinese, Japanese; and Korean, whose words carry particles.
_NO_BLANKS = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_NO_BLANKS}]+|[^\W_{_NO_BLANKS}]+")
_STARTS_WITHOUT_BLANKS = re.compile(f"[{_NO_BLANKS}]")
#: English words that say nothing of what a question is about. Those of other languages are common and so weigh little.
STOP_WORDS = frozenset(
    """a about after all also am an and any are as at be because been before being between both but by can could did do
    does doing don down during each few for from further had has have having he her here hers him his how i if in into
    is it its just ll me more most my no nor not of off on once only or other our out over own please re same say says
    she should so some such tell than that the their them then there these they this those through to too under until
    up us ve very was we were what when where which while who whom whose why will with would you your""".split()
)

_PLURAL_IN_ES = ("ches", "shes", "sses", "xes")


def fold(text: str) -> str:
    """``text`` in small letters, each at the place of its capital."""
    return text.replace("İ", "i").lower()


def query_terms(question: str) -> tuple[str, ...]:
    """The words to look for, each once: without stop words; pairs of signs where a script has no blanks."""
    terms: dict[str, None] = {}
    for word in _WORD.findall(fold(question)):
        if _STARTS_WITHOUT_BLANKS.match(word):
            terms.update(dict.fromkeys(word[at : at + 2] for at in range(max(1, len(word) - 1))))
        elif word not in STOP_WORDS and (len(word) > 1 or not word.isascii() or word.isdigit()):
            terms[_singular(word)] = None
    return tuple(terms)[:MOST_TERMS]


def _singular(word: str) -> str:
    """An English plural's singular, in the manner of D. Harman's "S" stemmer ("How effective is suffixing?", 1991)."""
    if len(word) < 4 or not word.isascii() or not word.endswith("s") or word[-2] in "ius":
        return word
    return word[: -2 if word.endswith(_PLURAL_IN_ES) else -1]


def term_pattern(term: str) -> re.Pattern[str]:
    """Finds ``term`` as a word of its own or its English plural, in folded text; a sign's pair anywhere."""
    if _STARTS_WITHOUT_BLANKS.match(term):
        return re.compile(re.escape(term))
    literal, letter = re.escape(term), r"[^\W_]"
    plural = "(?:e?s)?" if len(term) > 2 and term.isascii() and term.isalpha() else ""
    # The literal comes first, then what may not stand before it: a search for a literal is many times faster.
    return re.compile(rf"{literal}(?<!{letter}{literal}){plural}(?!{letter})")


def term_frequencies(folded: str, begins: Sequence[int], term: str) -> Counter[int]:
    """How often ``term`` is in each passage of ``folded``, by number; ``begins`` is where the passages begin."""
    found = term_pattern(term).finditer(folded)
    return Counter(bisect.bisect_right(begins, one.start()) - 1 for one in found)


def bm25_scores(frequencies: Sequence[Mapping[int, int]], lengths: Sequence[float]) -> dict[int, float]:
    """The scores of the passages that have a term. ``frequencies`` is, for each term, its count by passage.

    Each term adds ln(1 + (N - n + 0.5) / (n + 0.5)) · f / (f + k1 · (1 - b + b · length / average length)) for N
    passages, n of them with the term, f times. ``lengths`` may be in any unit.
    """
    average = sum(lengths) / len(lengths) if lengths else 1.0
    scores: dict[int, float] = {}
    for counts in frequencies:
        weight = math.log(1 + (len(lengths) - len(counts) + 0.5) / (len(counts) + 0.5))
        for number, count in counts.items():
            norm = K1 * (1 - B + B * lengths[number] / average)
            scores[number] = scores.get(number, 0.0) + weight * count / (count + norm)
    return scores
