"""Bulk runs on one machine: every row of a file asked once, durably.

running ── opens the ledger, lets rows be asked one way or the other, and sums up
   ├─ asking ── calls: so many workers, each of which takes the next row when its last one has ended
   ├─ batching ── OpenRouter's own batches: submitted, asked about, and merged when they have ended
   │    ├─ packing, merging ── rows into batches, and their results back
   │    └─ parcels ── what the ledger knows of batches
   ├─ standing ── how the run stands, and which rows are to be asked
   ├─ sources ── rows out of files, and the fingerprint of a file
   ├─ recording ── what is written down while a call runs: the intent before it is sent, its id when headers arrive
   ├─ ledger ── the one thread that writes: many transactions' worth in one commit
   │    ├─ tables ── the ledger's SQL
   │    └─ output ── the lines that are in the ledger and not in the output yet
   ├─ settling ── what became of the rows in doubt
   └─ opening ── whose ledger it is, who else has it open, what was in doubt
"""
