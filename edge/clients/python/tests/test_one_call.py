"""What one call is given, or does, harms no other call."""

import asyncio
import json
import os
import signal
import socket as sockets
import threading
import time
import unittest
from concurrent.futures import Future

import test_client as kit
import zeroservices as zs
from zeroservices import wire
from zeroservices.outgoing import Outgoing

CIRCLE = []
CIRCLE.append(CIRCLE)
DEEP = []
for _ in range(100_000):
    DEEP = [DEEP]


class Sly(dict):
    """Asks the edge for something while it is encoded."""

    def __init__(self, do):
        super().__init__(a=1)
        self.do = do

    def items(self):
        self.do()
        return super().items()


class Changes(dict):
    def items(self):
        for key in super().keys():
            super().__setitem__(len(self), 1)
            yield key, 1


# What no request can hold, each as the arguments of send().
BAD = {
    "a file's name that is no UTF-8": ("bob", "t", os.fsdecode(b"caf\xe9.txt")),
    "a surrogate, deep inside": ("bob", "t", {"a": [{"b": "\ud800"}]}),
    "a surrogate as a key": ("bob", "t", {"\udfff": 1}),
    "a surrogate as the peer's name": ("b\udce9b", "t", 1),
    "a surrogate as the type": ("bob", "\udce9", 1),
    "NaN": ("bob", "t", float("nan")),
    "infinity, deep inside": ("bob", "t", [{"x": float("-inf")}]),
    "a circle": ("bob", "t", CIRCLE),
    "deeper than Python goes": ("bob", "t", DEEP),
    "a set": ("bob", "t", {1, 2}),
    "any object": ("bob", "t", object()),
    "bytes inside": ("bob", "t", {"a": b"bytes"}),
    "a key that is a tuple": ("bob", "t", {(1, 2): 3}),
    "bytes for a name": (b"bob", "t", 1),
    "bytes for a type": ("bob", b"t", 1),
    "bytes with holes": ("bob", "t", memoryview(bytearray(6))[::2]),
    "an integer of 5,000 digits": ("bob", "t", 1 << 16600),
    "a dict that changes meanwhile": ("bob", "t", Changes(a=1)),
}
BAD_TIMEOUTS = (float("nan"), float("inf"), "5s", 1j)


class TestOneBadDatum(unittest.TestCase):
    def test_fails_its_own_call_only(self):
        def answer(r):
            return [] if r.get("type") == "slow" else kit.delivered(r)
        with kit.StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            slow = edge.post("bob", "slow")
            for what, args in BAD.items():
                with self.subTest(what):
                    with self.assertRaises(zs.BadRequest):
                        edge.send(*args)
                    self.assertFalse(slow.done())
                    self.assertEqual(edge.send("bob", "t", 1).path, "tcp")
            for timeout in BAD_TIMEOUTS:
                with self.subTest(timeout), self.assertRaises(zs.BadRequest):
                    edge.request("bob", "t", timeout=timeout)
            self.assertEqual(edge.send("bob", "t", 1).path, "tcp")
            self.assertFalse(slow.done())

    def test_text_beyond_ascii_goes_as_it_is(self):
        said = json.loads(wire.encode(wire.op("send", "caf\u00e9 \U0001f600")))
        self.assertEqual(said["data"], "caf\u00e9 \U0001f600")

    def test_data_that_asks_the_edge_itself(self):
        with kit.StrawEdge(kit.delivered) as straw, \
                zs.Edge(straw.path) as edge:
            heard = []
            sly = Sly(lambda: heard.append(edge.send("bob", "inner").path))
            self.assertEqual(edge.send("bob", "outer", sly).path, "tcp")
            self.assertEqual(heard, ["tcp"])
            self.assertEqual([r["ref"] for r in straw.asked], [1, 2])

    def test_an_error_without_a_ref(self):
        refused = {"ok": False, "error": "bad_request", "message": "m"}
        w = wire.Wire()
        future = Future()
        w.ask({"op": "a"}, wire.as_nothing, future)
        w.feed(kit.lines(refused))
        self.assertIsInstance(future.exception(), zs.BadRequest)
        self.assertIsNone(w.lost)


class TestWhatComesIn(unittest.TestCase):
    def test_a_peers_integer_of_5000_digits(self):
        digits = b"9" * 5000
        w = wire.Wire()
        got = w.feed(b'{"event":"message","from":"b","name":"bob","type":"t",'
                     b'"data":' + digits + b'}\n')
        self.assertEqual((got[0][0].data, w.lost), (float("inf"), None))

    def test_an_answer_that_is_none(self):
        w = wire.Wire()
        future, other = Future(), Future()
        ref, _ = w.ask({"op": "send"}, wire.as_delivery, future)
        w.ask({"op": "send"}, wire.as_delivery, other)
        for line in ({"event": "join"}, {"event": "message", "from": "b",
                     "name": "b", "type": "t", "data_b64": 5},
                     {"ref": ref, "ok": True}):
            self.assertEqual(w.feed(kit.lines(line)), [])
        self.assertIsInstance(future.exception(), zs.ApiError)
        self.assertEqual((other.done(), w.lost), (False, None))


class TestFutures(unittest.TestCase):
    def test_one_that_was_cancelled(self):
        held = []

        def answer(r):
            held.append(r)
            return [] if len(held) < 3 else \
                [x for h in held for x in kit.delivered(h)]
        with kit.StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            first, second = edge.post("bob", "t"), edge.post("bob", "t")
            self.assertTrue(first.cancel())
            # Between the look at it and its result another thread is faster.
            first.done = lambda: False
            self.assertEqual(edge.post("bob", "t").result(5).path, "tcp")
            self.assertEqual(second.result(5).path, "tcp")

    def test_callbacks_that_fail_wait_or_end_the_thread(self):
        def wait(future):
            try:
                edge.send("bob", "from a callback")
            except zs.Misuse:
                told.append("misuse")

        def end(future):
            raise SystemExit

        told, gate = [], threading.Event()

        def answer(r):
            gate.wait(5)
            return kit.delivered(r)
        with kit.StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            with self.assertLogs("zeroservices", "ERROR"):
                for callback in (wait, end):
                    gate.clear()
                    future = edge.post("bob", "t")
                    future.add_done_callback(callback)
                    gate.set()
                    self.assertEqual(future.result(5).path, "tcp")
                    self.assertEqual(edge.send("bob", "t").path, "tcp")
        self.assertEqual(told, ["misuse"])

    def test_a_callback_runs_without_locks(self):
        def other_threads_go_on(future):
            thread = threading.Thread(
                target=lambda: told.append(edge.post("bob", "t")))
            thread.start()
            thread.join(5)
            told.append(thread.is_alive())
            done.set()

        told, gate, done = [], threading.Event(), threading.Event()

        def answer(r):
            gate.wait(5)
            return kit.delivered(r)
        with kit.StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            edge.post("bob", "t").add_done_callback(other_threads_go_on)
            gate.set()
            self.assertTrue(done.wait(10))
            self.assertEqual(told[0].result(5).path, "tcp")
            self.assertEqual(told[1], False)

    def test_the_reader_that_fails_leaves_nobody_waiting(self):
        with kit.StrawEdge(kit.delivered) as straw, \
                zs.Edge(straw.path) as edge:
            edge._may_read = None  # A bug.
            with self.assertLogs("zeroservices", "ERROR"), \
                    self.assertRaises(zs.Disconnected):
                for _ in range(3):
                    edge.send("bob", "t")


class TestCtrlC(unittest.TestCase):
    def test_a_line_is_not_torn(self):
        """An exception out of a signal's handler, while the edge takes no
        more of a long line."""
        here, there = sockets.socketpair()
        outgoing = Outgoing()
        lines = [b"a" * 4_000_000 + b"\n", b"b\n"]

        def interrupt(*_):
            raise KeyboardInterrupt
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            outgoing.add(lines[0])
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with self.assertRaises(KeyboardInterrupt):
                outgoing.push(here)
        finally:
            signal.signal(signal.SIGALRM, before)
        got = []
        reader = threading.Thread(target=lambda: got.extend(
            iter(lambda: there.recv(1 << 20), b"")))
        reader.start()
        outgoing.add(lines[1])
        outgoing.push(here)
        here.close()
        reader.join(10)
        there.close()
        self.assertEqual(b"".join(got), b"".join(lines))

    def test_the_next_call_is_served(self):
        with kit.StrawEdge(kit.delivered) as straw, \
                zs.Edge(straw.path) as edge:
            real = edge._connection

            class Interrupted:
                """Takes a part, and then Ctrl-C is pressed."""

                def send(self, data, flags=0):
                    if len(data) > 100:
                        return real.send(data[:100], flags)
                    edge._connection = real
                    raise KeyboardInterrupt

                def __getattr__(self, name):
                    return getattr(real, name)
            time.sleep(0.05)  # The reader waits at the real one.
            edge._connection = Interrupted()
            with self.assertRaises(KeyboardInterrupt):
                edge.send("bob", "torn", "x" * 130)
            self.assertEqual(edge.send("bob", "next").path, "tcp")
        self.assertEqual([r["type"] for r in straw.asked], ["torn", "next"])


class TestAsync(unittest.IsolatedAsyncioTestCase):
    async def test_one_bad_datum(self):
        def answer(r):
            return [] if r.get("type") == "slow" else kit.delivered(r)
        with kit.StrawEdge(answer) as straw:
            async with zs.AsyncEdge(straw.path) as edge:
                slow = asyncio.ensure_future(edge.send("bob", "slow"))
                for what, args in BAD.items():
                    with self.subTest(what):
                        with self.assertRaises(zs.BadRequest):
                            await edge.send(*args)
                        got = await edge.send("bob", "t", 1)
                        self.assertEqual(got.path, "tcp")
                        self.assertFalse(slow.done())
                for timeout in BAD_TIMEOUTS:
                    with self.assertRaises(zs.BadRequest):
                        await edge.request("bob", "t", timeout=timeout)
                slow.cancel()

    async def test_another_loop(self):
        with kit.StrawEdge(kit.delivered) as straw:
            async with zs.AsyncEdge(straw.path) as edge:
                def elsewhere():
                    with self.assertRaises(zs.Misuse):
                        asyncio.run(edge.send("bob", "t"))
                await asyncio.get_running_loop().run_in_executor(
                    None, elsewhere)
                self.assertEqual((await edge.send("bob", "t")).path, "tcp")


if __name__ == "__main__":
    unittest.main()
