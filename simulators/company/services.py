"""The three services as `manage.py simulate` starts them: how to make a world, keep it, serve it and describe it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from simulators.absence import go_away_while
from simulators.aws import AwsSimulator, AwsWorld
from simulators.company.aws import build_aws, build_empty_aws, set_pace
from simulators.company.connections import Connection, describe_aws, describe_entra, describe_kintone
from simulators.company.entra import build_empty_entra, build_entra, register_portal
from simulators.company.kintone import build_empty_kintone, build_kintone
from simulators.entra import EntraSimulator, EntraWorld
from simulators.kintone import KintoneSimulator, KintoneWorld
from simulators.saving import Saving, load_state
from simulators.serving import Application, Serving

State = dict[str, Any]


class World(Protocol):
    """What all worlds have in common. `on_change` is set to be told of every change."""

    on_change: Any

    def to_state(self) -> State: ...


W = TypeVar("W", bound=World)


@dataclass(frozen=True)
class Service(Generic[W]):
    """One simulated service; the port that `build`, `build_empty` and `load` get is the portal's."""

    build: Callable[[int], W]
    build_empty: Callable[[int], W]
    load: Callable[[State, int], W]
    application: Callable[[W], Application]
    describe: Callable[[W, str], Connection]

    def open(self, *, state: Path | None, portal_port: int, is_empty: bool) -> W:
        """The world saved at `state`, or a new one. Raises ValueError for a file that holds no world."""
        saved = load_state(state) if state else None
        if saved is not None:
            return self.load(saved, portal_port)
        return self.build_empty(portal_port) if is_empty else self.build(portal_port)

    def start(self, world: W, *, port: int, state: Path | None, away: Path | None = None) -> "Running":
        """Serve the world and keep it saved; while the file `away` is there, it is not. Raises OSError for a port that
        is taken.
        """
        application = self.application(world)
        serving = Serving(go_away_while(application, away) if away else application, port)
        saving = None
        if state:
            saving = Saving(state, world.to_state)
            world.on_change = saving.changed
            saving.changed()
        return Running(serving.start(), saving, self.describe(world, serving.url))


@dataclass(frozen=True)
class Running:
    """A service under way."""

    serving: Serving
    saving: Saving | None
    connection: Connection

    def stop(self) -> None:
        """Take no more requests, and write what is not written yet."""
        self.serving.stop()
        if self.saving:
            self.saving.stop()


def _load_entra(state: State, portal_port: int) -> EntraWorld:
    world = EntraWorld.from_state(state)
    register_portal(world, portal_port)
    return world


SERVICES: dict[str, Service[Any]] = {
    "kintone": Service[KintoneWorld](
        build=lambda _port: build_kintone(),
        build_empty=lambda _port: build_empty_kintone(),
        load=lambda state, _port: KintoneWorld.from_state(state),
        application=KintoneSimulator,
        describe=describe_kintone,
    ),
    "aws": Service[AwsWorld](
        build=lambda _port: build_aws(),
        build_empty=lambda _port: build_empty_aws(),
        load=lambda state, _port: set_pace(AwsWorld.from_state(state)),
        application=AwsSimulator,
        describe=describe_aws,
    ),
    "entra": Service[EntraWorld](
        build=build_entra,
        build_empty=build_empty_entra,
        load=_load_entra,
        application=EntraSimulator,
        describe=describe_entra,
    ),
}
