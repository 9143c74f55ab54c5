"""Arguments of the tools, as the model sends them."""

from __future__ import annotations

from pydantic import Field

from skills.contract import ToolInput


class InNamespace(ToolInput):
    namespace: str = Field(default="", description="default: the alert's")


class Named(InNamespace):
    name: str = Field(default="", description="object, workload or pod; default: everything")


class OneObject(InNamespace):
    kind: str = Field(description="e.g. Deployment, Service, PersistentVolumeClaim")
    name: str


class LogsOf(InNamespace):
    name: str = Field(description="pod or workload")
    container: str = ""
    previous: bool = Field(default=False, description="of the run before the last restart")
    contains: str = ""
    minutes: int = Field(default=60, ge=1, le=1440)
