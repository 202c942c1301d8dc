// The chat page: the peers, the conversation with all, and one with each peer.
//
// A message is {type: "chat", data: {text}}. A message for all is published, one
// for a peer is sent. Other programs may send the text alone as data. Text from
// other nodes goes only into textContent, so it is never markup.

import {HELP, findPerson, readLine} from "./chat_line.js";
import {Edge, pathInWords} from "./edge.js";

const EVERYONE = "";
const KEPT = 1000; // entries of a conversation
const KEPT_CHARACTERS = 4000000; // of all its entries
const SEEK_MS = 3000; // the time that a restarted edge has to find its peers again

const part = (id) => document.getElementById(id);
const people = new Map(); // id -> {id, name, path, here, sought}
const talks = new Map(); // id or EVERYONE -> {entries, unread, draft, size}
let current = EVERYONE;
let seen = null; // ids of the joins before `synced`; null afterwards
let everSynced = false;
let redrawing = false;

const talkOf = (id) => {
  if (!talks.has(id))
    talks.set(id, {entries: [], unread: 0, draft: "", size: 0});
  return talks.get(id);
};

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text ?? "";
  return element;
}

// ---- A conversation

function isAtEnd() {
  const log = part("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < 60;
}

function toEnd() {
  const log = part("log");
  log.scrollTop = log.scrollHeight;
}

function add(id, element, counts) {
  const talk = talkOf(id);
  const follow = isAtEnd();

  talk.entries.push(element);
  talk.size += wordsIn(element);
  while (talk.entries.length > KEPT ||
         (talk.size > KEPT_CHARACTERS && talk.entries.length > 1))
    forgetOldest(talk);
  if (id === current) {
    part("log").append(element);
    if (follow) toEnd();
  } else if (counts) {
    talk.unread++;
  }
  if (counts) redraw();
}

const wordsIn = (entry) =>
  entry.querySelector(".words")?.textContent.length ?? 0;

function forgetOldest(talk) {
  const oldest = talk.entries.shift();

  talk.size -= wordsIn(oldest);
  oldest.remove();
}

function note(id, text) {
  add(id, make("li", "note", text), false);
}

function timeOf(when) {
  const time = make("time", "", when.toLocaleTimeString(
    [], {hour: "2-digit", minute: "2-digit"}));
  time.dateTime = when.toISOString();
  return time;
}

// Makes the entry of a message; `tell` changes the line below its text.
function makeMessage(from, text, mine) {
  const entry = make("li", mine ? "message mine" : "message");
  const name = make("div", mine ? "from hidden" : "from");
  const words = make("div", "words", text);
  const facts = make("div", "facts");
  const mark = make("span", "mark");

  name.append(make("bdi", "", from), make("span", "hidden", ": "));
  words.dir = "auto";
  facts.append(timeOf(new Date()), mark);
  entry.append(name, words, facts);
  return {entry, tell(said, failed) {
    mark.textContent = ` · ${said}`;
    facts.classList.toggle("failed", failed);
  }};
}

function show(id) {
  const talk = talkOf(id);

  talkOf(current).draft = part("text").value;
  current = id;
  talk.unread = 0;
  part("log").replaceChildren(...talk.entries);
  part("text").value = talk.draft;
  fitText();
  showHead();
  showPeople();
  part("people").querySelector("[aria-current=true]")
    ?.scrollIntoView({block: "nearest", inline: "nearest"});
  toEnd();
}

// ---- The list of peers, the title, the state

function rttInWords(ms) {
  return typeof ms === "number" ? `, ${ms < 10 ? ms.toFixed(1)
                                               : Math.round(ms)} ms` : "";
}

function showHead() {
  const person = people.get(current);
  const here = [...people.values()].filter((p) => p.here).length;

  part("title").textContent = person ? person.name : "Everyone";
  part("text").placeholder =
    person ? `Message to ${person.name}` : "Message to everyone";
  if (!person)
    part("about").textContent = here === 1 ? "1 other is here"
                                           : `${here} others are here`;
  else
    part("about").textContent =
      person.here ? `private, ${pathInWords(person.path)}` : "has left";
  part("alone").hidden = here > 0;
}

function aboutPerson(person) {
  if (person.here) return pathInWords(person.path);
  return person.sought ? "looking…" : "left";
}

function makePerson(id, name, about, gone) {
  const item = document.createElement("li");
  const button = make("button", gone ? "gone" : "");
  const {unread} = talkOf(id);

  button.type = "button";
  button.dataset.id = id;
  button.title = name; // the full name, where the button cuts it
  button.setAttribute("aria-current", String(id === current));
  button.append(make("bdi", "name", name));
  if (unread > 0) {
    const badge = make("span", "unread", String(unread));
    badge.append(make("span", "hidden", " unread"));
    button.append(badge);
  }
  button.append(make("span", "path", about));
  item.append(button);
  return item;
}

// Builds the list anew; the focused button keeps the focus.
function showPeople() {
  const list = part("people");
  const focused = list.contains(document.activeElement)
    ? document.activeElement.dataset.id : null;
  const listed = [...people.values()]
    .filter((p) => p.here || p.sought || talkOf(p.id).entries.length > 0)
    .sort((a, b) => b.here - a.here || a.name.localeCompare(b.name));

  list.replaceChildren(
    makePerson(EVERYONE, "Everyone", "", false),
    ...listed.map((p) => makePerson(
      p.id, p.name, aboutPerson(p), !p.here && !p.sought)));
  if (focused !== null)
    [...list.querySelectorAll("button")]
      .find((b) => b.dataset.id === focused)?.focus();
}

// Redraws soon, once for all changes until then.
function redraw() {
  if (redrawing) return;
  redrawing = true;
  requestAnimationFrame(() => {
    redrawing = false;
    showHead();
    showPeople();
  });
}

function showConnection(state, text) {
  part("connection").className = state;
  part("connection").textContent = text;
  part("send").disabled = state !== "up";
}

function fitText() {
  const text = part("text");
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

// ---- Events from the edge

function joined({id, name, path}) {
  const before = people.get(id);

  people.set(id, {id, name, path, here: true});
  seen?.add(id);
  if (!before?.here && !before?.sought && (everSynced || before)) {
    note(EVERYONE, `${name} joined`);
    if (before) note(id, `${name} is here again`);
  }
}

function left(person, why) {
  const named = ["lost", "revoked", "refused"].includes(why);
  const how = named ? ` (${why})` : "";
  person.here = person.sought = false;
  note(EVERYONE, `${person.name} left${how}`);
  if (talkOf(person.id).entries.length > 0)
    note(person.id, `${person.name} left${how}`);
  redraw();
}

// The edge has told all peers. A peer that it did not tell left while the
// connection was down, or the edge restarted and has not found it yet.
function synced() {
  const missing = [...people.values()].filter((p) => p.here && !seen.has(p.id));

  for (const person of missing) {
    person.here = false;
    person.sought = true;
  }
  setTimeout(() => {
    for (const person of missing)
      if (people.get(person.id) === person && person.sought) left(person, "");
  }, SEEK_MS);
  seen = null;
  everSynced = true;
}

// Notes that messages sent while the edge was away are lost.
function cameBack() {
  for (const [id, {entries}] of talks)
    if (id === EVERYONE || entries.length > 0)
      note(id, "connected again; what others said meanwhile is not here");
}

function changedPath({id, path}) {
  const person = people.get(id);

  if (person) person.path = path;
}

function heard(id, {from, name, data}) {
  const text = typeof data === "string" ? data : data?.text;

  if (typeof text !== "string") return;
  const message = makeMessage(name, text, false);

  if (id !== EVERYONE) message.tell("private", false);
  if (!people.has(from)) people.set(from, {id: from, name, here: false});
  add(id, message.entry, true);
}

const takers = {
  join: joined,
  leave({id, reason}) {
    if (people.get(id)?.here) left(people.get(id), reason);
  },
  synced,
  path: changedPath,
  message: (event) => heard(event.from, event),
  event: (event) => heard(EVERYONE, event),
  gap: ({name, missed}) =>
    note(EVERYONE, `${missed} messages of ${name}'s did not get here`),
};

const edge = new Edge({
  async up() {
    seen = new Set();
    edge.ask({op: "subscribe", types: ["chat"]});
    const {ok, node} = await edge.ask({op: "status"});
    if (!ok) return;
    part("self").textContent = node.name;
    document.title = `${node.name} · Chat · ZeroServices`;
    showConnection("up", "connected");
    redraw();
  },
  down(refused) {
    if (refused)
      showConnection("refused", "the edge wants its token: open the address " +
                                "that `zs status` shows");
    else
      showConnection("down", "the edge is away; trying again…");
    for (const person of people.values()) person.path = "";
    redraw();
  },
  event(event) {
    if (event.event === "synced" && everSynced) cameBack();
    takers[event.event]?.(event);
    if (seen === null) redraw();
  },
});

// ---- Input from the user

function inWords(answer, forAll) {
  if (!answer.ok)
    return answer.error === "no_connection"
      ? "not known to be delivered: the edge went away"
      : answer.error === "unknown_peer" ? "not delivered: not here"
                                        : `not delivered: ${answer.message}`;
  if (!forAll)
    return `delivered, ${pathInWords(answer.path)}${rttInWords(answer.rtt_ms)}`;
  return answer.peers === 1 ? "sent to 1" : `sent to ${answer.peers}`;
}

async function say(to, text) {
  const forAll = to === EVERYONE;
  const message = makeMessage("you", text, true);
  const request = {type: "chat", data: {text}};

  message.tell("sending…", false);
  add(to, message.entry, false);
  toEnd();
  const answer = await edge.ask(forAll ? {op: "publish", ...request}
                                       : {op: "send", to, ...request});
  message.tell(inWords(answer, forAll), !answer.ok);
}

function sayPrivate({name, text}) {
  const {person, why} = findPerson([...people.values()], name);

  if (!person) return why;
  part("text").value = "";
  show(person.id);
  say(person.id, text);
  return null;
}

function sayWho() {
  const here = [...people.values()].filter((p) => p.here)
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((p) => `${p.name} (${pathInWords(p.path)})`);

  note(current, `here: ${here.join(", ") || "nobody else"}`);
  return null;
}

const commands = {
  who: sayWho,
  help() {
    for (const line of HELP) note(current, line);
    return null;
  },
  quit: () => "to leave, close this page",
};

const command = ({name}) => (Object.hasOwn(commands, name) ? commands[name]()
  : `unknown command /${name}; /help names all`);

// Each carries out one kind of line; returns why it cannot, or null.
const does = {
  nothing: () => null,
  hint: ({text}) => text,
  say({text}) {
    say(current, text);
    return null;
  },
  private: sayPrivate,
  command,
};

part("form").addEventListener("submit", (event) => {
  const text = part("text");

  event.preventDefault();
  if (part("send").disabled) return;
  const line = readLine(text.value);
  const why = does[line.kind](line);
  if (why === null) text.value = "";
  else note(current, why);
  toEnd();
  fitText();
  text.focus();
});

part("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  part("form").requestSubmit();
});

part("text").addEventListener("input", fitText);

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || current === EVERYONE)
    return;
  show(EVERYONE);
  part("text").focus();
});

part("people").addEventListener("click", (event) => {
  const button = event.target.closest("button");

  if (!button) return;
  show(button.dataset.id);
  part("text").focus();
});

showConnection("down", "connecting…");
showPeople();
