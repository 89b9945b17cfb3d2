"""Stage times, rates, power, energy and the state of the machine."""
