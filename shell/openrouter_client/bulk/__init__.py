"""Bulk runs on one machine: every row of a file asked once, durably.

running ── the loop that waits: so many workers, each of which takes the next row when its last one has ended
   ├─ sources ── rows out of files, and the fingerprint of a file
   ├─ recording ── what is written down while a call runs: the intent before it is sent, its id when headers arrive
   ├─ ledger ── the one thread that writes: many transactions' worth in one commit
   │    ├─ tables ── the ledger's SQL
   │    └─ output ── the lines that are in the ledger and not in the output yet
   └─ opening ── whose ledger it is, who else has it open, what was in doubt
"""
