"""The command `predict`: what a model thinks of prediction markets, as a table or as JSON lines.

command ── reads the file and the options, chooses who answers and where it is shown
   └─ asking ── the only place that waits: asks about every market, so many at a time
        ├─ markets, prediction ── what is asked, and what an answer must be (pure)
        ├─ rows, report ── what came of it, its sums, and the words for it (pure)
        └─ boards, table ── where it is shown
"""
