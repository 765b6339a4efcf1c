"""Control: the tick. Observe, plan, decide; pure, the same for the live park and for the twin."""
