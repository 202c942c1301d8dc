// What alice's dashboard shows of three edges and a relay is what `zs status`
// says in the same moment, whatever happens to them.

import {readdirSync, statSync} from "node:fs";

import {check, eventually, lab, missesItsEdge, openPage, picture, play, sees,
        zs} from "./kit.mjs";

const PAGES = new URL("../../edge/pages/", import.meta.url);
const LATE_MS = 2000;
const MOST_BYTES = 150 * 1024; // of all pages together

// ---- What the page says, and what it should

// Runs in the page: what the picture, the tables and the findings say.
function said() {
  const all = (root, which) => [...root.querySelectorAll(which)];
  const words = (root) => all(root, "th, td").map((cell) => cell.textContent);
  const rows = (which) =>
    Object.fromEntries(all(document, `${which} tbody tr`).map(
      (row) => [row.dataset.id, words(row)]));
  const at = (group) => group.getAttribute("transform").match(/[\d.]+/g).join();
  const groups = all(document, "#picture .nodes > g");
  const ofPlace = new Map(groups.map((group) => [at(group), group.dataset.id]));
  const drawn = {};
  for (const group of groups) {
    const id = group.dataset.id;
    const line = all(document, "#picture .lines line").find(
      (one) => one.dataset.id === id);
    const end = (n) => line && ofPlace.get(
      [`x${n}`, `y${n}`].map((name) => Number(line.getAttribute(name))
        .toFixed(1)).join());
    drawn[id] = {
      shape: group.getAttribute("class").replace(" fresh", ""),
      name: group.querySelector("text").textContent,
      rtt: group.querySelector(".rtt").textContent.trim(),
      from: end(1), to: end(2),
      line: line && line.getAttribute("class").replace(/ load\d/, ""),
      seen: !line || getComputedStyle(line).display !== "none",
    };
  }
  return {
    drawn, peers: rows("#peers"), relays: rows("#relays"),
    self: document.getElementById("self").textContent,
    health: all(document, "#health li").map((item) => item.innerText
      .replaceAll("\n", " ")),
  };
}

const hostOf = (url) => /^\w+:\/\/([^/?]*)/.exec(url)[1];
const rounded = (ms) =>
  ms === null ? "-" : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
const WORDS = {tcp: "direct (tcp)", udp: "direct (udp)", relay: "relayed",
               none: "no path"};
const KINDS = {tcp: "direct", udp: "direct", relay: "relay", none: "none"};

// The same from `zs status --json`; rates and times are not compared.
function expected(status) {
  const relayAt = new Map(status.relays.map((r) => [r.url, r.name]));
  const drawn = {self: {shape: "self", name: status.node.name, rtt: "",
                        seen: true}};
  const peers = {};
  const relays = {};
  for (const r of status.relays) {
    const up = r.state === "up";
    const name = r.name || hostOf(r.url);
    drawn[r.url] = {shape: `hub ${up ? "up" : "down"}`, name,
                    rtt: up ? rounded(r.rtt_ms) : r.state, from: "self",
                    to: r.url, line: `trunk ${up ? "up" : "down"}`, seen: true};
    const form = r.transport + (r.proxy ? " through proxy" : "");
    relays[r.url] = [name, r.state, form, rounded(r.rtt_ms),
                     hostOf(r.url), r.error];
  }
  for (const p of status.peers) {
    const kind = KINDS[p.path];
    drawn[p.id] = {shape: `peer ${kind}`, name: p.name, rtt: rounded(p.rtt_ms),
                   from: kind === "relay" ? p.relay : "self", to: p.id,
                   line: kind, seen: kind !== "none"};
    const why = p.why ? ` (${p.why})` : "";
    peers[p.id] = [p.name, WORDS[p.path] + why, rounded(p.rtt_ms),
                   kind === "relay" ? relayAt.get(p.relay) : p.endpoint];
  }
  return {drawn, peers, relays, self: status.node.name,
          health: status.health.length === 0 ? ["all is well"]
            : status.health.map((h) => `${h.severity} ${h.text} ${h.remedy}`)};
}

function comparable(page) {
  const without = (rows, left) => Object.fromEntries(Object.entries(rows).map(
    ([id, cells]) => [id, cells.map((cell) => cell.trim())
      .filter((_, i) => !left.includes(i))]));
  return {...page, peers: without(page.peers, [3, 4, 6]),
          relays: without(page.relays, [4, 5])};
}

function sorted(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return value;
  return Object.fromEntries(Object.keys(value).sort()
    .filter((key) => value[key] !== undefined)
    .map((key) => [key, sorted(value[key])]));
}

const text = (value) => JSON.stringify(sorted(value));

// The first line in which two of them differ.
function difference(one, other) {
  const lines = [one, other].map((value) =>
    JSON.stringify(sorted(value), null, 1).split("\n"));
  const at = lines[0].findIndex((line, i) => line !== lines[1][i]);
  return `${lines[0][at]?.trim()} is not ${lines[1][at]?.trim()}`;
}

// The page looks once a second, and round trips change all the time: what it
// shows must be what `zs status` said at some moment of the last LATE_MS, and
// that within PATIENCE_MS.
async function agrees(page, name, when, also = () => true) {
  let why = "it has not happened yet";
  let lately = [];
  const is = await eventually(async () => {
    const status = JSON.parse(await zs(name, "status", "--json"));
    const shown = comparable(await page.evaluate(said));
    const oldest = Date.now() - LATE_MS;
    lately = lately.filter(({at}) => at > oldest);
    if (also(status)) lately.push({at: Date.now(), wanted: expected(status)});
    if (lately.some(({wanted}) => text(shown) === text(wanted))) return true;
    if (lately.length > 0) why = difference(shown, lately.at(-1).wanted);
    return false;
  });
  await check(`the dashboard says what zs status says, ${when}`, is,
              is ? "" : why);
}

const pathOf = (status, name) =>
  status.peers.find((peer) => peer.name === name)?.path;
const told = (page, words) =>
  page.locator("#story li", {hasText: words}).first().waitFor()
    .then(() => true);

// ---- The scenario

await play(async () => {
  const size = readdirSync(PAGES).reduce((sum, name) =>
    sum + statSync(new URL(name, PAGES)).size, 0);
  await check("all pages are less than 150 KiB", size < MOST_BYTES,
              `${size} bytes`);

  const page = await openPage("alice", "/dashboard");
  const phone = await openPage("alice", "/dashboard", {
    viewport: {width: 390, height: 844}, colorScheme: "dark"});
  await agrees(page, "alice", "of a direct and a relayed peer",
               (s) => pathOf(s, "bob") === "tcp" && pathOf(s, "carol") === "relay");
  await check("no time line yet", page.locator("#calm").isVisible());
  await picture(page, "dashboard-light", {fullPage: true});
  await picture(phone, "dashboard-phone", {fullPage: true});

  await check("the network is as zs netcheck finds it", eventually(async () => {
    const wanted = JSON.parse(await zs("alice", "netcheck", "--json"));
    const facts = await page.locator("#network-facts").innerText();
    const findings = await page.locator("#network .text").allInnerTexts();
    return facts.includes(`${wanted.nat.mapping} mapping`) &&
      facts.includes(`${wanted.nat.filtering} filtering`) &&
      wanted.findings.map(({text}) => text).every(
        (one) => findings.includes(one));
  }));
  const seen = await page.locator("#network-facts").innerText();
  await page.locator("#look-at-network").click();
  await check("it looks again when asked to", eventually(async () => {
    const facts = await page.locator("#network-facts").innerText();
    return facts.includes(" mapping") && facts !== seen;
  }));

  const row = page.locator("#peers tr", {hasText: "bob"});
  const flowing = eventually(async () => {
    await zs("alice", "send", "bob", "t", "x".repeat(50000));
    return /[kM]B\/s/.test(await row.locator(".sent").innerText()) &&
      await page.locator("#picture line.direct:not(.load0)").count() === 1;
  });
  await check("what is sent to bob is seen on his line and row", flowing);

  await lab("cut");
  await agrees(page, "alice", "after a cut",
               (s) => pathOf(s, "bob") === "relay");
  await check("the time line tells of the cut",
              told(page, "bob from direct to relayed"));
  await picture(page, "dashboard-cut", {fullPage: true});

  await lab("end hub KILL");
  await agrees(page, "alice", "without the relay",
               (s) => s.relays[0].state !== "up");
  await check("health has its remedy", sees(page, "start zs-relay there"));
  await lab("mend");
  await lab("start_relay hub hub");
  await agrees(page, "alice", "with the relay again",
               (s) => s.relays[0].state === "up" && s.peers.length === 2);

  await lab("end bob KILL");
  await agrees(page, "alice", "after bob's end", (s) => !pathOf(s, "bob"));
  await check("the time line tells that he left", told(page, "bob left"));

  missesItsEdge(page, true);
  missesItsEdge(phone, true);
  await lab("end alice KILL");
  await check("an edge that is gone is said",
              sees(page, /This is the mesh as it was at/));
  await picture(page, "dashboard-away", {fullPage: true});
  await lab("edge alice alice");
  await lab("answers alice");
  await check("the page says that it is back", told(page, "is back"));
  await agrees(page, "alice", "after a restart of its edge",
               (s) => pathOf(s, "carol") === "relay");
});
