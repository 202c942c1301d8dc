"""Filters belong to who iterates: several on one connection do not disturb
each other, and what one asked for ends with it."""

import asyncio
import gc
import json
import unittest

import test_client as kit
import zeroservices as zs
from zeroservices.listeners import Filter, Listeners

CAROL = {**kit.JOIN, "id": "ca", "name": "carol"}


def said(kind, type, data, group=None):
    m = {"event": kind, "from": "b0b", "name": "bob", "type": type,
         "data": data}
    return {**m, "group": group} if kind == "event" else m


class Filtering:
    """An edge that keeps its one subscription as the real one does; a send
    of the type "say" makes it say its data."""

    def __init__(self):
        self.subscription = None

    def __call__(self, r):
        if r["op"] in ("subscribe", "unsubscribe"):
            self.subscription = r if r["op"] == "subscribe" else None
            return [kit.good(r)] + (
                [x for x in (kit.JOIN, CAROL) if self.passes(x)] +
                [{"event": "synced"}] if self.subscription else [])
        more = r["data"] if r.get("type") == "say" else []
        return [x for x in more if self.passes(x)] + kit.delivered(r)

    def passes(self, x):
        s = self.subscription
        if s is None or x["event"] not in s.get("events", [x["event"]]):
            return False
        if x["event"] == "event" and "groups" in s and \
                x["group"] not in s["groups"]:
            return False
        return "type" not in x or x["type"] in s.get("types", [x["type"]])


def plain(event):
    return getattr(event, "data", None) or getattr(event, "name", None) or \
        type(event).__name__


def taken(listener):
    """What waits in an iterator."""
    queue = listener._listener.queue
    events = [plain(x) for x, _ in queue]
    queue.clear()
    return events


MIX = [said("message", "a", "m-a"), said("message", "b", "m-b"),
       said("event", "a", "e-a"), said("event", "b", "e-lab", "lab"),
       {"event": "leave", "id": "ca", "name": "carol", "reason": "lost"}]
SNAPSHOT = ["bob", "carol", "Synced"]


class TestEdge(unittest.TestCase):
    def test_each_gets_its_own(self):
        with kit.StrawEdge(Filtering()) as straw, zs.Edge(straw.path) as edge:
            everything = edge.events()
            filtered = {
                "a": edge.events(types=["a"]),
                "a text": edge.events(types="a"),
                "joins": edge.events(events=["join"]),
                "leaves": edge.events(events=["leave"]),
                "lab": edge.events(groups=["lab"]),
                "both": edge.events(types=["b"], events=["event"]),
            }
            also = edge.events()
            edge.send("bob", "say", MIX)
            self.assertEqual(taken(everything), SNAPSHOT + [
                "m-a", "m-b", "e-a", "e-lab", "carol"])
            self.assertEqual(
                {k: taken(v) for k, v in filtered.items()},
                {"a": SNAPSHOT + ["m-a", "e-a", "carol"],
                 "a text": SNAPSHOT + ["m-a", "e-a", "carol"],
                 "joins": SNAPSHOT, "leaves": ["Synced", "carol"],
                 "lab": SNAPSHOT + ["m-a", "m-b", "e-lab", "carol"],
                 "both": ["Synced", "e-lab"]})
            self.assertEqual(taken(also), SNAPSHOT + [
                "m-a", "m-b", "e-a", "e-lab", "carol"])

    def test_a_filter_changes_nothing_for_subscribe(self):
        with kit.StrawEdge(Filtering()) as straw, zs.Edge(straw.path) as edge:
            edge.subscribe(types=["b"])
            one = edge.events(types=["a"])
            edge.send("bob", "say", MIX)
            heard = [plain(edge.next_event(5)) for _ in range(6)]
            self.assertEqual(heard, SNAPSHOT + ["m-b", "e-lab", "carol"])
            self.assertEqual(taken(one), SNAPSHOT + ["m-a", "e-a", "carol"])

    def test_what_it_asked_for_ends_with_it(self):
        ends = {"close": lambda it: it.close(),
                "with": lambda it: it.__exit__(None, None, None),
                "for and break": lambda it: None}
        for how, end in ends.items():
            with self.subTest(how), kit.StrawEdge(Filtering()) as straw, \
                    zs.Edge(straw.path) as edge:
                edge.subscribe(types=["b"])
                for _ in (it := edge.events(types=["a"], groups=["lab"])):
                    break
                self.assertEqual(straw.asked[-1]["types"], ["a", "b"])
                end(it)
                del it
                gc.collect()
                edge.send("bob", "say", MIX)
                self.assertEqual(straw.asked[-2].get("types"), ["b"])
                self.assertNotIn("groups", straw.asked[-2])
                self.assertNotIn("member_of", straw.asked[-2])

    def test_the_last_one_unsubscribes(self):
        with kit.StrawEdge(Filtering()) as straw, zs.Edge(straw.path) as edge:
            edge.events(types=["a"]).close()
            edge.send("bob", "t")
            self.assertEqual([r["op"] for r in straw.asked],
                             ["subscribe", "unsubscribe", "send"])

    def test_one_after_the_other_without_a_filter(self):
        """Nothing is lost between two loops."""
        with kit.StrawEdge(Filtering()) as straw, zs.Edge(straw.path) as edge:
            for event in edge.events():
                if isinstance(event, zs.Synced):
                    break
            edge.send("bob", "say", MIX)
            self.assertEqual(plain(next(iter(edge.events()))), "m-a")
            self.assertEqual(len(straw.asked), 2)

    def test_handlers_beside_an_iterator(self):
        heard = []
        with kit.StrawEdge(Filtering()) as straw, zs.Edge(straw.path) as edge:
            edge.on_message(lambda m: heard.append(m.data))
            edge.subscribe()
            edge.start()
            with edge.events(types=["a"]) as some:
                edge.send("bob", "say", MIX)
                got = [plain(next(some)) for _ in range(6)]
            self.assertEqual(got, SNAPSHOT + ["m-a", "e-a", "carol"])
            import test_handlers
            test_handlers.until(lambda: heard == ["m-a", "m-b"])

    def test_a_filter_that_is_none(self):
        with kit.StrawEdge(Filtering()) as straw, zs.Edge(straw.path) as edge:
            for bad in ({"events": ["weather"]}, {"groups": ["no name"]},
                        {"types": [b"a"]}, {"types": b"a"}, {"types": 5},
                        {"types": ["\udce9"]}, {"types": [""]},
                        {"types": ["a\0b"]}, {"types": ["x" * 256]},
                        {"groups": [f"g{i}" for i in range(65)]}):
                with self.subTest(bad), self.assertRaises(zs.BadRequest):
                    edge.events(**bad)
            edge.events(types=["a"]).close()
            self.assertEqual(straw.asked[0]["types"], ["a"])

    def test_a_new_connection(self):
        answer = Filtering()

        def falls(r):
            return None if r.get("type") == "fall" else answer(r)
        with kit.StrawEdge(falls) as straw, \
                zs.Edge(straw.path, reconnect=True) as edge:
            some = edge.events(types=["a"], events=["message", "join"])
            with self.assertRaises(zs.Disconnected):
                edge.send("bob", "fall")
            heard = [plain(next(some)) for _ in range(8)]
            self.assertEqual(heard, SNAPSHOT + ["EdgeLost", "EdgeBack"] +
                             SNAPSHOT)


class TestListeners(unittest.TestCase):
    def test_what_all_want_together(self):
        for filters, members in (
                ([], {"op": "unsubscribe"}),
                ([{}], {"op": "subscribe"}),
                ([{"types": ["a"]}, {"types": ["b"]}], {"types": ["a", "b"]}),
                ([{"types": ["a"]}, {}], {}),
                # Types do not matter to who wants no messages.
                ([{"types": ["a"], "events": ["message"]},
                  {"events": ["join"]}],
                 {"types": ["a"], "events": ["join", "message"]}),
                ([{"groups": ["lab"]}], {"groups": ["lab"]}),
                ([{"groups": ["lab"]}, {}], {"member_of": ["lab"]}),
                ([{"groups": ["lab"]}, {"events": ["gap"]}],
                 {"groups": ["lab"]}),
                ([{"types": [f"a{i}" for i in range(60)]},
                  {"types": [f"b{i}" for i in range(60)]}], {})):
            listeners = Listeners()
            for one in filters:
                listeners.add(Filter(**one))
            self.assertEqual(listeners.members(),
                             {"op": "subscribe", **members})

    def test_more_groups_than_the_edge_takes(self):
        listeners = Listeners()
        listeners.add(Filter(groups=[f"a{i}" for i in range(60)]))
        with self.assertRaises(zs.BadRequest):
            listeners.add(Filter(groups=[f"b{i}" for i in range(5)]))
        self.assertEqual(len(listeners.members()["groups"]), 60)
        json.dumps(listeners.members())


class TestAsyncEdge(unittest.IsolatedAsyncioTestCase):
    async def test_each_gets_its_own_until_its_end(self):
        with kit.StrawEdge(Filtering()) as straw:
            async with zs.AsyncEdge(straw.path) as edge:
                everything = edge.events()
                self.assertEqual(plain(await everything.__anext__()), "bob")
                some = edge.events(types=["a"])
                await edge.send("bob", "say", MIX)
                self.assertEqual(taken(some), SNAPSHOT + ["m-a", "e-a",
                                                          "carol"])
                self.assertEqual(taken(everything), SNAPSHOT[1:] + [
                    "m-a", "m-b", "e-a", "e-lab", "carol"])
                async for _ in edge.events(types=["b"], groups=["lab"]):
                    break
                gc.collect()
                some.close()
                await asyncio.sleep(0)
                await edge.send("bob", "t")
                self.assertEqual(
                    [r for r in straw.asked if "member_of" in r][-1]
                    ["member_of"], ["lab"])
                last = [r for r in straw.asked if r["op"] == "subscribe"][-1]
                self.assertEqual(set(last), {"ref", "op"})
                with self.assertRaises(zs.BadRequest):
                    edge.events(events=["weather"])


if __name__ == "__main__":
    unittest.main()
