"""A settled world, ready to be observed: traffic, usage, API objects, series and logs, each made when asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from workers.simulation.api.view import Api
from workers.simulation.traffic import Traffic
from workers.simulation.usage import Cpu
from workers.simulation.world import World

if TYPE_CHECKING:
    from workers.simulation.logs.book import LogBook
    from workers.simulation.metrics.registry import Metrics


class Scene:
    def __init__(self, world: World) -> None:
        self.world = world
        self.traffic = Traffic(world)
        self.cpu = Cpu(self.traffic)

    @cached_property
    def api(self) -> Api:
        return Api(self.world, self.cpu)

    @cached_property
    def metrics(self) -> Metrics:
        from workers.simulation.metrics.registry import Metrics  # noqa: PLC0415 (families import the scene)

        return Metrics(self)

    @cached_property
    def logs(self) -> LogBook:
        from workers.simulation.logs.book import LogBook  # noqa: PLC0415 (the book imports the scene)

        return LogBook(self)
