"""The main job, for callers that wait: from the intake to the closure, by every command."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest
from towns import ANNE, DEFINITIONS, HOLE, MANAGER, RECEPTION, SOMEWHERE, WORKER, Post, Town, definition

import grc


def test_from_the_intake_to_the_confirmation(town: Town) -> None:
    reported = town.hole(requester=ANNE)
    reception, manager, worker = town.session(RECEPTION), town.session(MANAGER), town.session(WORKER)
    seen = reception.open(reported.id)
    assert (seen.state, seen.phase, seen.service) == ("recue", "received", "voirie")
    assert seen.fields == HOLE
    assert seen.parties[0].details == {"given": "Anne", "name": "Le Gall", "email": "anne@example.org"}
    assert seen.tracking_code == reported.tracking_code
    assert [choice.transition for choice in seen.choices] == ["affecter"]

    acted = reception.fire(seen, "affecter", to=grc.Assignee(team="chaussee"), note="vite")
    assert acted.id == reported.id and acted.version > seen.version
    worker.fire(worker.open(reported.id), "traiter")
    manager.fire(manager.open(reported.id), "cloturer", outcome="repare")
    closed = reception.open(reported.id)
    assert (closed.phase, closed.outcome, closed.closed_at) == ("closed", "repare", town.clock.now())
    assert [note.text for note in closed.notes] == ["vite"]

    holder = town.session(grc.Holder(reported.tracking_code))
    holder.act(holder.follow(), grc.Confirm(False, "toujours cassé"))
    assert reception.open(reported.id).confirmation == "unsatisfied"
    holder.fire(holder.follow(), "rouvrir", message="il y a encore un trou")
    again = reception.open(reported.id)
    assert (again.phase, again.confirmation) == ("received", None)
    kinds = [entry.kind for entry in reception.history(reported.id)]
    assert kinds[0] == "submitted" and kinds.count("moved") == 4
    verdict = town.host.verify(reported.id)
    assert verdict.sound and verdict.events == again.version


def test_a_choice_says_why_not(memory_town: Town) -> None:
    reported = memory_town.hole()
    manager = memory_town.session(MANAGER)
    manager.act_on(reported.id, grc.Assign(grc.Assignee(team="chaussee")))
    manager.act_on(reported.id, grc.Assess("non-traitable", "domaine-prive"))
    manager.act_on(reported.id, grc.Fire("affecter", to=grc.Assignee(team="chaussee")))
    seen = manager.open(reported.id)
    choice = seen.choice("traiter")
    assert choice is not None and not choice.possible
    assert choice.blocked[0].code and choice.blocked[0].message
    assert seen.choice("no-such-transition") is None
    with pytest.raises(grc.Refused) as refused:
        manager.fire(seen, "traiter")
    assert refused.value.codes == {choice.blocked[0].code}


def test_a_request_takes_every_command(memory_town: Town) -> None:
    town = memory_town
    reception, worker = town.session(RECEPTION), town.session(WORKER)
    reported, other = town.hole(requester=ANNE), town.hole()
    holder = town.session(grc.Holder(reported.tracking_code))
    done: set[type] = set()

    def do(command: grc.Command, by: grc.Session = reception) -> grc.results.Seen:
        before = reception.open(reported.id).version
        acted = by.act_on(reported.id, command)
        seen = reception.open(reported.id)
        assert (acted.id, acted.version) == (reported.id, seen.version) and seen.version > before
        done.add(type(command))
        return seen

    assert town.host.work(Post([grc.Rejected("mailbox-full")])).dead == 1
    assert do(grc.Resend(2)).messages[0].status == "waiting"
    assert town.host.work(Post()).sent == 1
    town.host.act(reported.id, grc.Delivered(2, 1, grc.Arrived()))
    done.add(grc.Delivered)
    assert reception.open(reported.id).messages[0].status == "delivered"

    assert do(grc.Assess("traitable")).acceptability == "traitable"
    assert do(grc.Assign(grc.Assignee(team="chaussee"), "au plus près")).team == "chaussee"
    assert do(grc.Take(), by=worker).agent == WORKER
    assert do(grc.HandOver(grc.Assignee(team="eclairage"), "pas pour nous"), by=worker).team == "eclairage"
    assert do(grc.Correct({"profondeur": 12})).fields["profondeur"] == 12
    assert do(grc.Conclude("transmis", "au département")).outcome == "transmis"
    assert do(grc.Tell("Nous venons demain.")).messages[-1].text == "Nous venons demain."
    heard = do(grc.Hear("Merci !", "telephone")).messages[-1]
    assert heard.incoming and heard.channel == "telephone"
    note = do(grc.Note("à voir lundi")).notes[-1]
    assert (note.text, note.by) == ("à voir lundi", RECEPTION)
    assert do(grc.Attach(reception.store_file("plan.txt", b"un plan"))).files[0].name == "plan.txt"
    do(grc.Work(30, Decimal("12.50"), "enrobes-du-sud"))
    assert reception.history(reported.id)[-1].details == {
        "minutes": "30",
        "cents": "1250",
        "supplier": "enrobes-du-sud",
    }
    assert do(grc.Link("duplicate-of", other.id)).links == (("duplicate-of", other.id),)
    (hold,) = do(grc.Hold("contentieux")).holds
    assert do(grc.Release(hold)).holds == ()
    assert "description" not in do(grc.Erase(["description"], "right-to-erasure")).fields
    assert do(grc.Fire("affecter", to=grc.Assignee(team="chaussee"))).state == "affectee"
    do(grc.Fire("traiter"), by=worker)
    do(grc.Fire("cloturer", outcome="repare"))
    assert do(grc.Confirm(True), by=holder).confirmation == "satisfied"

    assert done == set(get_args(grc.Command)), "a command is not tried here"
    assert town.host.verify(reported.id).sound


def test_the_host_acts_for_the_authority(memory_town: Town) -> None:
    reported = memory_town.hole()
    memory_town.host.act(reported.id, grc.Hold("contentieux"))
    entry = memory_town.session().history(reported.id)[-1]
    assert (entry.kind, entry.actor.kind) == ("held", "host")


def test_the_same_intake_under_a_key_is_one_request(town: Town) -> None:
    first, again = town.hole(key="form-81"), town.hole(key="form-81")
    assert first == again
    assert len(town.session().list()) == 1
    with pytest.raises(grc.Refused) as refused:
        town.hole(key="form-81", fields={"danger": False})
    assert refused.value.problems[0].code


def test_the_same_command_under_a_key_is_done_once(town: Town) -> None:
    reported = town.hole()
    session = town.session()
    seen = session.open(reported.id)
    acted = [session.act(seen, grc.Note("une fois"), key="note-1") for _ in range(3)]
    assert acted[0] == acted[1] == acted[2]
    assert len(session.open(reported.id).notes) == 1


def test_an_intake_is_an_object_or_its_parts(memory_town: Town) -> None:
    session = memory_town.session()
    whole = grc.Intake(type="nid-de-poule", channel="telephone", fields=HOLE, parties=[ANNE], place=SOMEWHERE)
    one = session.open(session.submit(whole).id)
    follower = grc.Party(role="follower", family="Martin")
    two = session.open(
        session.submit(
            "nid-de-poule", channel="telephone", fields=HOLE, requester=ANNE, parties=[follower], place=SOMEWHERE
        ).id
    )
    assert (one.fields, one.parties, one.place) == (two.fields, two.parties[:1], two.place)
    assert [person.role for person in two.parties] == ["requester", "follower"]
    assert set(session.by_contact("espace-public", "email", "Anne@Example.org")) == {one.id, two.id}
    assert session.by_contact("espace-public", "email", "paul@example.org") == ()
    with pytest.raises(ValueError, match="kind: email, phone, mobile or address"):
        session.by_contact("espace-public", "pigeon", "anne@example.org")  # type: ignore[arg-type]


def test_a_replay_of_what_is_past_tells_nobody(memory_town: Town) -> None:
    long_ago = memory_town.clock.now().replace(year=2024)
    reported = memory_town.hole(requester=ANNE, occurred_at=long_ago, quiet=True)
    seen = memory_town.session().open(reported.id)
    assert seen.opened_at == long_ago and seen.messages == ()
    entry = memory_town.session().history(reported.id)[0]
    assert (entry.occurred_at, entry.recorded_at) == (long_ago, memory_town.clock.now())


def test_agents_have_names_apart(memory_town: Town) -> None:
    session = memory_town.session()
    assert session.agent_name(WORKER) is None
    memory_town.host.name_agent(WORKER, "Jean Kermarrec")
    assert session.agent_name(WORKER) == "Jean Kermarrec"
    memory_town.host.forget_agent(WORKER)
    assert session.agent_name(WORKER) is None


def test_the_feed_can_be_resumed(town: Town) -> None:
    town.hole()
    first = town.host.changes(limit=1)
    rest = town.host.changes(after=first.next)
    assert len(first.items) == 1 and rest.items
    assert not {change.batch for change in first.items} & {change.batch for change in rest.items}
    assert town.host.changes(after=rest.next).items == ()
    reported = town.hole()
    touched = [touched for change in town.host.changes(after=rest.next).items for touched in change.touched]
    assert ("stream", "request", reported.id) in {(one.what, one.kind, one.id) for one in touched}


def test_a_definition_can_be_had_again(town: Town) -> None:
    published = town.host.definition()
    assert published.types == definition().types == tuple(sorted(definition().types))
    assert grc.Definition.from_dict(published.to_dict()) == published
    for same in (published, definition(), DEFINITIONS / "voirie", str(DEFINITIONS / "voirie")):
        versions = town.host.publish(same)
        assert {versions.organisation, *versions.procedures.values()} == {1}, "what did not change keeps its version"
    assert town.host.scrub().done is not None
    assert town.host.sweep() == 0
