// Parses a line that the user typed: a message for all, a message for one peer,
// or a command. The rules are those of `zs chat` (edge/term/chat_input.c): a
// line that begins with "@" or "/", also after blanks, never goes to all; "@@"
// and "//" begin a message for all with one "@" or "/".

const BLANK = /^[\s\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+/u;

// {kind: "nothing" | "say" | "private" | "command" | "hint", ...}
export function readLine(text) {
  const line = text.replace(BLANK, "");

  if (line === "") return {kind: "nothing"};
  if (line.startsWith("//") || line.startsWith("@@"))
    return {kind: "say", text: line.slice(1)};
  if (line.startsWith("@")) return readPrivate(line.slice(1));
  if (!line.startsWith("/")) return {kind: "say", text};
  const [, name, rest] = /^(\S*)\s*([^]*)$/u.exec(line.slice(1));
  if (name === "msg") return readPrivate(rest);
  return {kind: "command", name, rest};
}

function readPrivate(rest) {
  const [, name, text] = /^(\S*)\s*([^]*)$/u.exec(rest);

  return name === "" || text === ""
    ? {kind: "hint", text: "a message to one is @NAME TEXT, or /msg NAME TEXT"}
    : {kind: "private", name, text};
}

export const HELP = [
  "a line is a message to those whose conversation is shown; //... is a line " +
    "that begins with /, @@... one that begins with @",
  "/msg NAME TEXT: to one alone; @NAME TEXT is the same",
  "/who: who is here, and by which path",
  "/help: this",
  "/quit: leaves",
];

// Finds a peer by its name, or by the first 8 or more digits of its id; or
// returns why it cannot.
export function findPerson(people, name) {
  const id = /^[0-9a-f]{8,64}$/iu.test(name) ? name.toLowerCase() : null;
  const here = people.filter((p) => p.here);
  const named = here.filter((p) => p.name === name);
  const meant = named.length > 0 ? named
    : here.filter((p) => id !== null && p.id.startsWith(id));

  if (meant.length === 1) return {person: meant[0]};
  return {why: meant.length === 0
    ? `nobody called ${name} is here: nothing was sent`
    : `several are called ${name}; name one by 8 digits of its id, or more`};
}
