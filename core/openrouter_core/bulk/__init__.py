"""Bulk runs, as far as they can be decided without a clock, a disk or a network: many rows, each asked once.

template, rows   a line of the input -> a request, or what is wrong with it
identity         what makes a row, the settings and the input the same as before
states           what a row may become, and what a failure means for it and for the run
lines            an outcome -> the line of the output
figures          how a run stands, how fast it goes, what it will cost, how it ended
estimate         what a run would take, before anything is sent
"""
