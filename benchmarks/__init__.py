"""How fast we are beside others: `make bench`, `python -m benchmarks`.

Each row is one piece of work that we and a peer do in the same run, in turns. What counts is the ratio:
seconds depend on the machine. `rows` says what a row is, `paired` how it is measured, `looks` where, and
`record` how it is held to the ratios of the last record in ratios.csv. Each group of rows is a module
(`groups`).
"""
