"""Fuzzing of everything that reads foreign text: each input ends in a right answer or one clear sentence.

`cases` says what an input is, `judge` what is asked of it, `answers` what a right answer is; `texts`,
`tables`, `workbooks` and `command_lines` make inputs out of valid ones, `targets` lists the readers with
theirs. In CI `test_fuzz` runs a fixed number of inputs for every reader, over ten thousand together, always
the same; `test_corpus` replays every input that once broke something; `test_named_cases` has those that
people think of.

By hand, other inputs each time, for as long as one likes; what breaks is shrunk and written into the corpus::

    python -m tests.fuzz --minutes 30
    python -m tests.fuzz --minutes 5 --only prior --only constraints

With coverage as the guide, where `atheris` is installed::

    python -m tests.fuzz.guided prior --minutes 10
"""
