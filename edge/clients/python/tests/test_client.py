"""The client at an edge of straw, which says what a test wants it to.

    python3 -m unittest discover -s tests       (in this package's folder)
"""

import asyncio
import json
import os
import socket as sockets
import tempfile
import threading
import time
import unittest
from concurrent.futures import Future

import zeroservices as zs
from zeroservices import wire

JOIN = {"event": "join", "id": "b0b", "name": "bob", "info": {},
        "groups": [], "path": "tcp"}


class StrawEdge:
    """Accepts connections one after the other; `answer(request)` gives the
    objects to say, or bytes, or None to hang up."""

    def __init__(self, answer):
        self.path = tempfile.mktemp(suffix=".sock")
        self.asked = []
        self._answer = answer
        self._listener = sockets.socket(sockets.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(sockets.SHUT_RDWR)
        self._listener.close()
        os.unlink(self.path)

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self._converse(connection)

    def _converse(self, connection):
        for line in connection.makefile():
            self.asked.append(json.loads(line))
            said = self._answer(self.asked[-1])
            if said is None:
                return
            try:
                connection.sendall(said if isinstance(said, bytes) else
                                   lines(*said))
            except OSError:
                return


def lines(*objects):
    return b"".join(json.dumps(x).encode() + b"\n" for x in objects)


def good(request, **more):
    return {"ref": request["ref"], "ok": True, **more}


def bad(request, error):
    return {"ref": request["ref"], "ok": False, "error": error,
            "message": "as told"}


def delivered(request):
    return [good(request, path="tcp", rtt_ms=1.5)]


class TestLines(unittest.TestCase):
    def test_every_way_of_being_cut(self):
        stream = b'{"a":1}\n\n{"b":"\xc3\xa4"}\nrest'
        for i in range(len(stream)):
            for j in range(i, len(stream)):
                cut = wire.Lines()
                got = [line for piece in (stream[:i], stream[i:j], stream[j:])
                       for line in cut.feed(piece)]
                self.assertEqual(got, stream.split(b"\n")[:-1])

    def test_one_byte_at_a_time(self):
        cut = wire.Lines()
        got = [x for byte in b"one\ntwo\n" for x in cut.feed(bytes([byte]))]
        self.assertEqual(got, [b"one", b"two"])


class TestWire(unittest.TestCase):
    def ask(self, w, **members):
        future = Future()
        ref, line = w.ask(members, wire.as_nothing, future)
        return ref, line, future

    def test_answers_come_in_any_order(self):
        w = wire.Wire()
        one, _, first = self.ask(w, op="a")
        two, _, second = self.ask(w, op="b")
        w.feed(lines({"ref": two, "ok": True}))
        self.assertTrue(second.done() and not first.done())
        w.feed(lines({"ref": one, "ok": False, "error": "no_such_word",
                      "message": "m"}))
        error = first.exception()
        self.assertIsInstance(error, zs.ApiError)
        self.assertEqual((error.error, str(error)),
                         ("no_such_word", "no_such_word: m"))

    def test_each_error_has_its_class(self):
        for kind in (zs.BadRequest, zs.TooLarge, zs.UnknownPeer,
                     zs.NotDelivered, zs.PeerRestarted, zs.Busy, zs.Timeout,
                     zs.Cancelled, zs.TooLate, zs.UnknownRequest):
            w = wire.Wire()
            ref, _, future = self.ask(w, op="a")
            w.feed(lines(bad({"ref": ref}, kind.error)))
            self.assertIs(type(future.exception()), kind)

    def test_a_line_too_long_fails_the_longest(self):
        w = wire.Wire()
        _, _, short = self.ask(w, data="x")
        _, _, long = self.ask(w, data="x" * 1000)
        _, _, other = self.ask(w, data="x" * 10)
        w.feed(lines({"ok": False, "error": "too_large", "message": "m"}))
        self.assertIsInstance(long.exception(), zs.TooLarge)
        self.assertFalse(short.done() or other.done())
        self.assertIsNone(w.lost)

    def test_what_ends_a_connection(self):
        for said, why in ((b"no json\n", "no edge"), (b"[1]\n", "no edge"),
                          (b'{"ok":false,"error":"busy","message":"m"}\n',
                           "busy: m"),
                          (b'{"event":"closed","reason":"slow"}\n', "slow")):
            w = wire.Wire()
            _, _, future = self.ask(w, op="a")
            w.feed(said)
            self.assertIn(why, w.lost)
            w.end("later")
            self.assertIn(why, str(future.exception()))

    def test_what_a_later_version_says_is_no_harm(self):
        w = wire.Wire()
        got = w.feed(lines({"event": "weather"}, {"ref": 99, "ok": True},
                           {**JOIN, "more": 1}))
        self.assertEqual([type(x) for x, _ in got], [zs.NewNode])

    def test_who_was_present_has_left_at_the_end(self):
        w = wire.Wire()
        w.feed(lines(JOIN, {**JOIN, "id": "ca", "name": "carol"},
                     {"event": "leave", "id": "ca", "name": "carol",
                      "reason": "lost"}))
        self.assertEqual(w.end("gone"), [zs.NodeClose("b0b", "bob", "edge")])

    def test_what_is_no_json_is_refused_here(self):
        for data in (float("nan"), object(), {1, 2}):
            with self.assertRaises(zs.BadRequest):
                self.ask(wire.Wire(), data=data)

    def test_members(self):
        self.assertEqual(wire.op("send", b"\0", 0.2, False, to="b", type=None),
                         {"op": "send", "to": "b", "timeout": 200,
                          "wait": False, "data_b64": "AA=="})
        self.assertEqual(wire.op("send", bytearray()),
                         {"op": "send", "data_b64": ""})
        self.assertEqual(wire.op("send", 0), {"op": "send", "data": 0})


class TestEdge(unittest.TestCase):
    def test_answers_in_pieces(self):
        whole = lines({"ref": 1, "ok": True, "path": "tcp", "rtt_ms": None})
        with StrawEdge(lambda r: whole[:7]) as straw:
            with zs.Edge(straw.path) as edge:
                sent = edge.post("bob", "t")
                time.sleep(0.05)
                self.assertFalse(sent.done())
                straw._answer = lambda r: whole[7:]
                edge.post("bob", "t")
                self.assertEqual(sent.result(5), zs.Delivery("tcp", None))

    def test_busy_for_those_who_do_not_wait(self):
        with StrawEdge(lambda r: [bad(r, "busy")]) as straw:
            with zs.Edge(straw.path) as edge:
                with self.assertRaises(zs.Busy):
                    edge.send("bob", "t", 1, wait=False)
        self.assertIs(straw.asked[0]["wait"], False)

    def test_a_lost_edge_is_told(self):
        def answer(r):
            return [good(r), JOIN] if r["op"] == "subscribe" else None
        with StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            edge.subscribe()
            with self.assertRaises(zs.Disconnected):
                edge.send("bob", "t")
            with self.assertRaises(zs.Disconnected):
                edge.send("bob", "again")
            heard = []
            with self.assertRaises(zs.Disconnected):
                for event in edge.events():
                    heard.append(type(event))
            self.assertEqual(heard, [zs.NewNode, zs.NodeClose, zs.EdgeLost])

    def test_reconnection_renews_the_subscription(self):
        def answer(r):
            return [good(r), JOIN, {"event": "synced"}] \
                if r["op"] == "subscribe" else None
        with StrawEdge(answer) as straw, \
                zs.Edge(straw.path, reconnect=True) as edge:
            edge.subscribe(types=["t"])
            with self.assertRaises(zs.Disconnected):
                edge.send("bob", "t")
            heard = [type(edge.next_event(5)) for _ in range(7)]
            self.assertEqual(heard, [
                zs.NewNode, zs.Synced, zs.NodeClose, zs.EdgeLost, zs.EdgeBack,
                zs.NewNode, zs.Synced])
        self.assertEqual([(r["op"], r.get("types")) for r in straw.asked], [
            ("subscribe", ["t"]), ("send", None), ("subscribe", ["t"])])

    def test_nobody_takes_what_comes_in(self):
        flood = lines({"event": "event", "from": "b0b", "name": "bob",
                       "type": "t", "data": "x" * 1000}) * 5000

        def answer(r):
            return lines(good(r, peers=1)) + flood if r["op"] == "publish" \
                else []
        with StrawEdge(answer) as straw, \
                zs.Edge(straw.path, backlog=200_000) as edge:
            edge.publish("t")
            time.sleep(0.2)
            self.assertGreater(edge._queued, 200_000)
            self.assertLess(edge._queued, 800_000)
            self.assertIsNone(edge._wire.lost)
            # Who awaits an answer has to read on; it is too much then.
            with self.assertRaises(zs.Disconnected) as caught:
                edge.send("bob", "t")
            self.assertIn("was not taken in time", str(caught.exception))

    def test_handlers_are_called_in_order(self):
        def answer(r):
            return [good(r), JOIN, {"event": "message", "from": "b0b",
                                    "name": "bob", "type": "t", "data": 1,
                                    "request": "5"}] \
                if r["op"] == "subscribe" else delivered(r)
        heard = []
        with StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            edge.on_new_node(lambda n: heard.append(n.name))

            @edge.on_message
            def reply(message):
                heard.append(edge.reply(message, message.data + 1).path)
                edge.close()
            edge.run()
        self.assertEqual(heard, ["bob", "tcp"])
        self.assertEqual((straw.asked[1]["request"], straw.asked[1]["data"]),
                         ("5", 2))

    def test_no_event_in_time(self):
        with StrawEdge(delivered) as straw, zs.Edge(straw.path) as edge:
            with self.assertRaises(zs.Timeout):
                edge.next_event(0.01)

    def test_many_threads(self):
        with StrawEdge(delivered) as straw, zs.Edge(straw.path) as edge:
            threads = [threading.Thread(target=lambda: [
                edge.send("bob", "t", "x" * 500) for _ in range(100)])
                for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(sorted(r["ref"] for r in straw.asked),
                         list(range(1, 801)))

    def test_nobody_listens_there(self):
        with self.assertRaises(zs.NoEdge) as caught:
            zs.Edge("/nonexistent.sock")
        self.assertIn("/nonexistent.sock", str(caught.exception))


class TestAsyncEdge(unittest.IsolatedAsyncioTestCase):
    async def test_a_lost_edge_is_told(self):
        def answer(r):
            return [good(r), JOIN] if r["op"] == "subscribe" else None
        with StrawEdge(answer) as straw:
            async with zs.AsyncEdge(straw.path) as edge:
                await edge.subscribe()
                with self.assertRaises(zs.Disconnected):
                    await edge.send("bob", "t")
                heard = []
                with self.assertRaises(zs.Disconnected):
                    async for event in edge.events():
                        heard.append(type(event))
                self.assertEqual(heard,
                                 [zs.NewNode, zs.NodeClose, zs.EdgeLost])

    async def test_a_cancelled_task_cancels_what_it_asked(self):
        with StrawEdge(lambda r: []) as straw:
            async with zs.AsyncEdge(straw.path) as edge:
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(edge.request("bob", "t"), 0.05)
                while len(straw.asked) < 2:
                    await asyncio.sleep(0.01)
        self.assertEqual((straw.asked[1]["op"], straw.asked[1]["request"]),
                         ("cancel", 1))

    async def test_handlers_may_be_async(self):
        def answer(r):
            return [good(r), JOIN] if r["op"] == "subscribe" else delivered(r)
        heard = []
        with StrawEdge(answer) as straw:
            async with zs.AsyncEdge(straw.path) as edge:
                @edge.on_new_node
                async def greet(node):
                    heard.append((await edge.send(node.name, "hi")).path)
                    await edge.close()
                await edge.run()
        self.assertEqual(heard, ["tcp"])

    async def test_closing_ends_what_waits(self):
        with StrawEdge(lambda r: []) as straw:
            edge = await zs.AsyncEdge(straw.path).open()
            asked = asyncio.ensure_future(edge.send("bob", "t"))
            await asyncio.sleep(0.05)
            await edge.close()
            with self.assertRaises(zs.Disconnected):
                await asked


class TestPlace(unittest.TestCase):
    def setUp(self):
        self.before = dict(os.environ)
        os.environ.pop("ZS_SOCKET", None)

    def tearDown(self):
        os.environ.clear()
        os.environ.update(self.before)

    def test_what_is_named_is_taken(self):
        os.environ["ZS_SOCKET"] = "/from/the/environment"
        self.assertEqual(zs.find_socket(), "/from/the/environment")
        self.assertEqual(zs.find_socket("/named"), "/named")

    def test_a_socket_that_a_dead_edge_left_is_passed_by(self):
        with tempfile.TemporaryDirectory() as runtime, \
                StrawEdge(delivered) as straw:
            os.environ["XDG_RUNTIME_DIR"] = runtime
            os.mkdir(runtime + "/zeroservices")
            dead = sockets.socket(sockets.AF_UNIX)
            dead.bind(runtime + "/zeroservices/a.sock")
            dead.close()
            os.symlink(straw.path, runtime + "/zeroservices/b.sock")
            self.assertEqual(zs.find_socket(),
                             runtime + "/zeroservices/b.sock")
            os.symlink(straw.path, runtime + "/zeroservices/c.sock")
            with self.assertRaises(zs.NoEdge):
                zs.find_socket()


if __name__ == "__main__":
    unittest.main()
