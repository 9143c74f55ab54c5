"""A company that breaks on demand, served as real APIs over HTTP. Only URLs connect it with the product."""

from workers.simulation.company import SimulationError
from workers.simulation.running import Running, start
from workers.simulation.scenario import Truth, names

__all__ = ["Running", "SimulationError", "Truth", "names", "start"]
