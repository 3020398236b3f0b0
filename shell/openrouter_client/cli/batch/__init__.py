"""The command `batch`: a file of prompts asked durably, and a look at how such a run stands.

command ── the options of run, status, export and failures
   ├─ carrying ── runs it: signals, the display, the summary
   │    └─ board ── where it is shown: a live display on a terminal, plain lines elsewhere
   ├─ looking ── status, export and failures, of a ledger that may be in use
   └─ words ── the words for all of it (pure)
"""
