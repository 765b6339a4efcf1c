"""Pure energy models; numpy and HiGHS, nothing of the outside world."""
