"""To whom pay goes: bank accounts of people, which erasing them takes away."""
