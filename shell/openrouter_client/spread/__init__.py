"""Bulk runs on more than one machine, through Ray: it starts, places and supervises; what is asked is decided here.

running ── what users hold: `RayBatchRun`; and `dataset`, a callable for those who have a Ray Dataset
   └─ actors ── the boundary: all that is known of Ray
        ├─ coordinator ── a bulk run whose rows are asked elsewhere; it has the ledger, the limiters and the money
        │    ├─ remote ── a conversation about each row, with whoever has it
        │    └─ desk ── who has which row, and who says what to whom
        ├─ worker ── asks rows, as many at a time as it is given; `link` is its way to the coordinator
        └─ spec ── what a run is told, without its key
"""
