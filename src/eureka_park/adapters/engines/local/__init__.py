"""The local engine: this machine, one small supervisor per attempt, outside the park's processes."""
