"""Pure rules and state of compute; imports foundation only, time is an argument."""
