"""Energy: weather to sun, field, molten salt and wind, dispatch, and the power plan."""
