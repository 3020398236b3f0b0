"""Admission: when a call may be sent. Pure limiters over frozen states, and how they are put together.

seen          what limiters ask and are told            gcra          a known rate
window        a documented window                       learned       an undocumented quota
gate          a pause for everybody                     concurrency   attempts in flight
hold          an outage                                 compose       many limiters as one
standard      the limiter that every client has         queue, pump   who goes next
retry_budget  retries of failures                       condition     these three, together
places        attempts in flight, fixed                 money         a budget in USD
unnamed       an undocumented quota in windows          quota         the four that know one quota, together
"""
