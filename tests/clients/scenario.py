"""An agent, a supervisor and a connector carry a contact from HTTP submit to the end of its
wrap-up; sockets are killed in the middle and resume without losing or doubling anything.

Usage: scenario.py ADDRESS ENCODING AGENT_TOKEN SUPERVISOR_TOKEN CONNECTOR_TOKEN
"""
import asyncio
import json
import sys
import urllib.request

from client import Client


def post(address, token, contact):
    """Submits a contact by HTTP; gives status and body."""
    request = urllib.request.Request(
        f"http://{address}/v1/contacts",
        data=json.dumps(contact).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status, json.load(answer)


async def submit(address, token, channel, external_id):
    contact = {"channel": channel, "queue": "support", "external_id": external_id,
               "customer": {"id": "c-1", "name": "Rosa Diaz"}}
    status, body = await asyncio.to_thread(post, address, token, contact)
    assert status == 201, status
    status, again = await asyncio.to_thread(post, address, token, contact)
    assert (status, again) == (200, body), (status, again, body)
    return body["contact"]


async def main(address, encoding, agent_token, supervisor_token, connector_token):
    url = f"ws://{address}/v1/ws"
    connector = Client(url, connector_token, encoding, "connector")
    await connector.open()
    connector_sub = await connector.subscribe("connector")
    supervisor = Client(url, supervisor_token, encoding, "supervisor")
    await supervisor.open()
    contacts = await supervisor.subscribe("contacts")
    queues = await supervisor.subscribe("stats.queues", hz=10)
    await supervisor.wait(lambda m: m["type"] == "snapshot" and m["sub"] == contacts and m["last"])
    table = await supervisor.wait(lambda m: m["type"] == "snapshot" and m["sub"] == queues)

    agent = Client(url, agent_token, encoding, "agent")
    await agent.open()

    # A call waits with a position before anybody is there to take it.
    call = await submit(address, connector_token, "voice", f"call-{encoding}")
    entered = await connector.wait(
        lambda m: m.get("sub") == connector_sub and m.get("key") == call
        and m["type"] in ("entered", "event"))
    assert entered["data"]["position"] == 1, entered
    assert "ewt_ms" in entered["data"], entered

    signed_in = await agent.call("agent.sign_in")
    assert signed_in["agent"]["state"] == "available", signed_in
    me = signed_in["sub"]
    offer = await agent.event("offer.made", contact=call)
    accepted = await agent.call("contact.accept", offer=offer["key"])
    assert accepted["state"] == "connecting", accepted
    command = await connector.event("media.connect", contact=call)
    await connector.call("media.report", command=command["data"]["command"], result="connected")
    connected = await agent.wait(
        lambda m: m.get("sub") == me and m.get("event") == "leg.connected")
    assert connected["data"]["sub"], "connected names the view of the contact"

    # Both sockets are cut; meanwhile the customer hangs up; both resume.
    position = agent.positions[me]
    await agent.kill()
    await supervisor.kill()
    await connector.call("contact.end", contact=call)
    welcome = await agent.open(resume={"session": agent.session, "epoch": agent.epoch,
                                       "subs": [{"topic": "me", "seq": position}]})
    mine = next(s for s in welcome["subs"] if s["topic"] == "me")
    assert mine["resumed"], welcome
    agent.positions.setdefault(mine["sub"], position)
    wrap_up = await agent.wait(lambda m: m.get("event") == "leg.wrap_up")
    assert wrap_up["data"]["contact"] == call
    welcome = await supervisor.open(
        resume={"session": supervisor.session, "epoch": supervisor.epoch,
                "subs": [{"topic": "contacts", "seq": supervisor.positions[contacts]}]})
    again = next(s for s in welcome["subs"] if s["topic"] == "contacts")
    assert again["resumed"], welcome
    await agent.call("contact.wrap_up", contact=call, codes=["resolved"], done=True)
    await agent.wait(lambda m: m.get("event") == "leg.ended" and m["data"]["contact"] == call)

    # The supervisor saw every step once, in order, across the cut.
    await supervisor.wait(lambda m: m.get("key") == call
                          and m.get("event") == "contact.closed")
    steps = [m.get("event", m["type"]) for m in supervisor.messages if m.get("key") == call
             and m["type"] in ("event", "entered", "left")]
    for step in ("contact.offered", "contact.connecting", "leg.connected", "leg.wrap_up",
                 "leg.ended", "contact.closed"):
        assert steps.count(step) == 1, (step, steps)
    assert steps.index("contact.offered") < steps.index("leg.connected"), steps

    # A chat connects with its accept; its rows change.
    chat = await submit(address, connector_token, "chat", f"chat-{encoding}")
    offer = await agent.event("offer.made", contact=chat)
    accepted = await agent.call("contact.accept", offer=offer["key"])
    assert accepted["state"] == "active", accepted
    await agent.call("contact.end", contact=chat)
    await agent.wait(lambda m: m.get("event") in ("leg.wrap_up", "leg.ended")
                     and m["data"]["contact"] == chat)
    waiting = table["columns"].index("waiting")
    rows = [change for m in supervisor.messages if m["type"] == "update" and m["sub"] == queues
            for change in m["set"]]
    assert any(waiting in change[1::2] for change in rows), "the row of the queue changed"

    shown = [m["key"] for m in agent.messages if m.get("event") == "offer.made"]
    assert len(shown) == len(set(shown)) == 2, f"each offer was shown once: {shown}"
    await agent.call("agent.sign_out", work="return")
    for client in (agent, supervisor, connector):
        await client.close()
    print(f"{encoding}: one call and one chat, {len(steps)} steps of the call seen")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
