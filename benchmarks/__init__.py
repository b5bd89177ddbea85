"""``python start.py bench``: what this extension costs and saves, as ratios measured side by side in one run.

Nothing here is a test: no run fails for being slow. A benchmark is a module of this package with

- a docstring, whose first line says what is measured (``--list`` prints it);
- ``NAME``: lower case, words joined by hyphens; what ``--only`` takes;
- ``rows(options: Options) -> Iterator[Row]``: its rows, each yielded as soon as it is measured.

Its module name stands in ``__main__.BENCHMARKS``, in the order of the table; nothing else has to know it.

``rows.py`` has the words: a ``Row`` is one ratio against something named, the median over its pairs, with the least and
the most of them as its spread. ``Options.pairs()`` says how many pairs to run (five or more, or what the benchmark asks
for; two with ``--quick``), and ``options.quick`` that texts and models should be small enough for seconds: what comes
out then shows that the benchmark runs, and no figure. ``measuring.py`` makes rows: ``compared`` runs two ways in turn
and times them; ``row`` takes ratios that were measured otherwise, one per pair.

What is missing here (a package, a real webui) is a ``Skipped`` with a sentence for the user, raised before or between
rows; ModuleNotFoundError is made one. The rows before it count. torch, transformers and the like are imported inside
``rows``, so that the list is printed at once and the number of threads that ``__main__`` sets, one, is theirs too.
"""
