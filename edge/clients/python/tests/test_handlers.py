"""A handler that fails: it is logged, the sender of a request is told, and the
next event is handled."""

import asyncio
import sys
import time
import unittest

import test_client as kit
import zeroservices as zs


def message(data, request=None):
    said = {"event": "message", "from": "b0b", "name": "bob", "type": "t",
            "data": data}
    return said if request is None else {**said, "request": request}


def says(*events):
    return lambda r: [kit.good(r), kit.JOIN, *events] \
        if r["op"] == "subscribe" else kit.delivered(r)


def until(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it does not come to that")


class TestEdge(unittest.TestCase):
    def test_each_kind_of_handler_and_of_exception(self):
        kinds = ("on_message", "on_new_node", "on_event", "on_gap", "on_path",
                 "on_node_close", "on_synced")
        events = (message(1), {"event": "event", "from": "b0b", "name": "bob",
                               "type": "t", "data": 1},
                  {"event": "gap", "from": "b0b", "name": "bob", "missed": 1},
                  {"event": "path", "id": "b0b", "name": "bob", "path": "tcp",
                   "was": "udp"}, {"event": "synced"},
                  {"event": "leave", "id": "b0b", "name": "bob",
                   "reason": "lost"})
        for exception in (ValueError, AssertionError, SystemExit, zs.Busy):
            heard = []
            with self.subTest(exception), \
                    kit.StrawEdge(says(*events)) as straw, \
                    zs.Edge(straw.path) as edge:
                def fails(event):
                    heard.append(type(event))
                    raise exception("it fails")
                for kind in kinds:
                    getattr(edge, kind)(fails)
                with self.assertLogs("zeroservices", "ERROR") as logs:
                    edge.start()
                    until(lambda: len(heard) == len(kinds))
                    until(lambda: len(logs.records) >= len(kinds))
                self.assertIn("it fails", "".join(logs.output))

    def test_a_request_is_answered_with_an_error(self):
        heard = []
        with kit.StrawEdge(says(message("bad", "7"), message(1, "8"))) \
                as straw, zs.Edge(straw.path) as edge:
            @edge.on_message
            def answer(m):
                heard.append(m.data)
                edge.reply(m, m.data + 1)
            with self.assertLogs("zeroservices", "ERROR") as logs:
                edge.start()
                until(lambda: len(straw.asked) == 3)
        self.assertIn("answer", logs.output[0])
        self.assertEqual(heard, ["bad", 1])
        told, good = straw.asked[1:]
        self.assertEqual((told["op"], told["request"], told["to"],
                          told["data"]["error"]),
                         ("reply", "7", "b0b", "handler_failed"))
        self.assertNotIn("concatenate", str(told))
        self.assertEqual((good["request"], good["data"]), ("8", 2))

    def test_who_asked_sees_it_as_an_error(self):
        def answer(r):
            return [kit.good(r, **{"from": "b0b", "name": "bob",
                                   "type": "error", "data": {
                                       "error": "handler_failed",
                                       "message": "m"}})]
        with kit.StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            with self.assertRaises(zs.HandlerFailed):
                edge.request("bob", "t")

    def test_one_handler_of_two(self):
        heard = []
        with kit.StrawEdge(says(message(1))) as straw, \
                zs.Edge(straw.path) as edge:
            edge.on_message(lambda m: 1 / 0)
            edge.on_message(lambda m: (heard.append(m.data), edge.close()))
            with self.assertLogs("zeroservices", "ERROR"):
                edge.run()
        self.assertEqual(heard, [1])

    def test_sys_exit_in_run_is_the_programs(self):
        with kit.StrawEdge(says(message(1))) as straw, \
                zs.Edge(straw.path) as edge:
            edge.on_message(lambda m: sys.exit(3))
            with self.assertRaises(SystemExit):
                edge.run()

    def test_the_end_of_the_edge_is_logged(self):
        def answer(r):
            return [kit.good(r)] if r["op"] == "subscribe" else None
        with kit.StrawEdge(answer) as straw, zs.Edge(straw.path) as edge:
            with self.assertLogs("zeroservices", "ERROR") as logs:
                thread = edge.start()
                until(lambda: len(straw.asked) == 1)
                with self.assertRaises(zs.Disconnected):
                    edge.send("bob", "t")
                thread.join(10)
        self.assertIn("handlers are called no more", logs.output[0])


class TestAsyncEdge(unittest.IsolatedAsyncioTestCase):
    async def test_both_kinds_of_handlers(self):
        async def fails(m):
            await asyncio.sleep(0)
            raise ValueError("it fails")

        async def waits_for_what_is_cancelled(m):
            inner = asyncio.ensure_future(asyncio.sleep(10))
            inner.cancel()
            await inner

        def fails_at_once(m):
            raise ValueError("it fails")

        for handler in (fails, fails_at_once, waits_for_what_is_cancelled):
            heard = []
            with self.subTest(handler.__name__), kit.StrawEdge(says(
                    message(1, "7"), message(2))) as straw:
                async with zs.AsyncEdge(straw.path) as edge:
                    edge.on_message(handler)

                    @edge.on_message
                    async def end(m):
                        heard.append(m.data)
                        if m.data == 2:
                            while len(straw.asked) < 2:
                                await asyncio.sleep(0.01)
                            await edge.close()
                    with self.assertLogs("zeroservices", "ERROR"):
                        await asyncio.wait_for(edge.run(), 10)
                self.assertEqual(heard, [1, 2])
                self.assertEqual((straw.asked[1]["op"],
                                  straw.asked[1]["data"]["error"]),
                                 ("reply", "handler_failed"))

    async def test_run_itself_can_be_cancelled(self):
        begun = asyncio.Event()
        with kit.StrawEdge(says(message(1))) as straw:
            async with zs.AsyncEdge(straw.path) as edge:
                @edge.on_message
                async def waits(m):
                    begun.set()
                    await asyncio.sleep(60)
                run = asyncio.ensure_future(edge.run())
                await asyncio.wait_for(begun.wait(), 10)
                run.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await run


if __name__ == "__main__":
    unittest.main()
