"""A6: a release names a ServiceAccount that was never made; its pods are refused, the old ones serve on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.simulation.blow import Blow, next_version, rollout_of, workload_thing
from workers.simulation.cluster import Json
from workers.simulation.refusals import pod_prefix, refuse_rollout
from workers.simulation.world import World

FAULT = "service_account_absent"
OPTIONS = {"account": ""}


def strike(world: World, victim: str, at: float, options: Mapping[str, Any]) -> Blow:
    it = world.workload(victim)
    account = options["account"] or f"{victim}-runtime"

    def edit(template: Json) -> None:
        next_version(template)
        template["spec"].update(serviceAccountName=account, serviceAccount=account)

    revision = refuse_rollout(world, it, at, edit, "")
    message = f'pods "{pod_prefix(it)}" is forbidden: error looking up service account {it.namespace}/{account}: serviceaccount "{account}" not found'  # noqa: E501
    refused = [n for n in world.notes if n.reason == "FailedCreate" and n.uid == revision.uid]
    world.notes = [n for n in world.notes if n not in refused]
    for note in refused:
        world.note(type(note)(**{**note.__dict__, "message": f"Error creating: {message}"}))
    assert it.refused
    it.refused["message"] = message
    return Blow(
        (workload_thing(it),),
        at,
        rollout_of(it, revision),
        evidence=(f"event.reason = FailedCreate and message ~ serviceaccount and object ~ {victim}-",),
    )
