"""A small Switchroom client: JSON or MessagePack over `websockets`."""
import asyncio
import json

import msgpack
import websockets


class Refused(Exception):
    """The server refused a request."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.error = error


class Client:
    """One session. Pushed messages are kept in the order they came."""

    def __init__(self, url, token, encoding, name):
        self.url, self.token, self.encoding, self.name = url, token, encoding, name
        self.messages = []
        self.arrived = asyncio.Condition()
        self.replies = {}
        self.requests = 0
        self.session = self.epoch = None
        self.positions = {}
        self.socket = self.reader = None

    async def open(self, resume=None):
        """Connects and says hello; gives the welcome."""
        self.socket = await websockets.connect(
            self.url, subprotocols=[f"switchroom.v1.{self.encoding}"], max_size=None
        )
        assert self.socket.subprotocol == f"switchroom.v1.{self.encoding}"
        self.reader = asyncio.create_task(self._read(self.socket))
        hello = {"type": "hello", "id": "hello", "token": self.token,
                 "client": {"name": self.name, "version": "1"}}
        if resume is not None:
            hello["resume"] = resume
        await self._send(hello)
        welcome = await self.wait(lambda m: m["type"] == "welcome", forget=True)
        self.session, self.epoch = welcome["session"], welcome["epoch"]
        return welcome

    async def kill(self):
        """Cuts the connection without a word, as a lost network does."""
        self.socket.transport.abort()
        self.reader.cancel()

    async def close(self):
        await self.socket.close()
        self.reader.cancel()

    async def _send(self, message):
        if self.encoding == "json":
            await self.socket.send(json.dumps(message))
        else:
            await self.socket.send(msgpack.packb(message))

    async def _read(self, socket):
        try:
            async for frame in socket:
                if self.encoding == "json":
                    assert isinstance(frame, str)
                    got = json.loads(frame)
                else:
                    assert isinstance(frame, bytes)
                    got = msgpack.unpackb(frame)
                for message in got if isinstance(got, list) else [got]:
                    await self._take(message)
        except websockets.ConnectionClosed:
            pass

    async def _take(self, message):
        kind = message["type"]
        if kind == "ping":
            await self._send({"type": "pong", "at": message["at"]})
            return
        if kind == "reply" and message["id"] in self.replies:
            self.replies.pop(message["id"]).set_result(message)
            return
        if "sub" in message and kind in ("event", "entered", "left"):
            self._check_whole(message)
        if kind == "snapshot":
            self.positions[message["sub"]] = message["as_of"]
        async with self.arrived:
            self.messages.append(message)
            self.arrived.notify_all()

    def _check_whole(self, message):
        """Lossless: in order, nothing lost, nothing twice."""
        sub, seq, prev = message["sub"], message["seq"], message["prev"]
        last = self.positions.get(sub)
        if last is not None:
            assert prev <= last, f"{self.name}: {sub} lost something: {prev} > {last}: {message}"
            # What is told beside the log has the position of what was told before it.
            beside = message.get("event") in ("contact.position", "media.connect",
                                              "media.disconnect")
            assert seq > last or (beside and seq == last), \
                f"{self.name}: {sub} said {seq} after {last}: {message}"
        self.positions[sub] = seq

    async def ask(self, message):
        self.requests += 1
        identity = f"r{self.requests}"
        future = asyncio.get_running_loop().create_future()
        self.replies[identity] = future
        await self._send({"id": identity, **message})
        reply = await asyncio.wait_for(future, 20)
        if "error" in reply and reply["error"] is not None:
            raise Refused(reply["error"])
        return reply["result"]

    async def call(self, method, **params):
        return await self.ask({"type": "request", "method": method, "params": params})

    async def subscribe(self, topic, **params):
        result = await self.ask({"type": "subscribe", "topic": topic, "params": params})
        return result["sub"]

    async def wait(self, wanted, forget=False):
        """The first message, past or to come, that is wanted."""

        def find():
            return next((m for m in self.messages if wanted(m)), None)

        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(find), 20)
            found = find()
            if forget:
                self.messages.remove(found)
            return found

    async def event(self, name, **data):
        """The first event of that name whose data has these values."""
        return await self.wait(
            lambda m: m["type"] == "event"
            and m["event"] == name
            and all(m["data"].get(key) == value for key, value in data.items())
        )

    def events(self, sub):
        return [m for m in self.messages
                if m.get("sub") == sub and m["type"] in ("event", "entered", "left")]
