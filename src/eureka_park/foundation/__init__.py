"""Foundation: units, instants, clocks, seeds, ids, errors and the types that several rooms read. Imports nothing of
ours.
"""
