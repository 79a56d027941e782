"""What clients send. Pydantic checks the shape; what is right for a request type is grc's to say, with all reasons."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import grc
from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr

Value: TypeAlias = StrictBool | StrictInt | StrictStr | list[StrictStr]
"""A value of a field. Days and amounts come as texts, which grc reads."""
Address: TypeAlias = Annotated[tuple[str, str, str], "street, postcode, town"]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PartyBody(Body):
    given: str | None = None
    family: str | None = None
    email: str | None = None
    phone: str | None = None
    address: Address | None = None
    answer_by: str | None = None

    def party(self) -> grc.Party:
        return grc.Party(**dict(self))


class PlaceBody(Body):
    address: Address | None = None
    position: tuple[float, float] | None = None
    zone: str | None = None

    def place(self) -> grc.Place:
        return grc.Place(**dict(self))


class IntakeBody(Body):
    type: str
    channel: str
    fields: dict[str, Value] = {}
    requester: PartyBody | None = None
    place: PlaceBody | None = None

    def intake(self, key: str | None) -> grc.Intake:
        return grc.Intake(
            type=self.type,
            channel=self.channel,
            fields=self.fields,
            parties=() if self.requester is None else (self.requester.party(),),
            place=None if self.place is None else self.place.place(),
            key=key,
        )


class AssigneeBody(Body):
    service: str | None = None
    team: str | None = None
    agent: str | None = None


class FireBody(Body):
    seen: int | None = None
    """The version that the agent decided on. Without, it is done whatever changed since."""
    fields: dict[str, Value] = {}
    to: AssigneeBody | None = None
    outcome: str | None = None
    message: str | None = None
    note: str | None = None

    def fire(self, transition: str) -> grc.Fire:
        return grc.Fire(
            transition,
            fields=self.fields,
            to=None if self.to is None else grc.Assignee(**dict(self.to)),
            outcome=self.outcome,
            message=self.message,
            note=self.note,
        )
