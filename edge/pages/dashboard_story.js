// The list of changes: peers that joined or left, and changed paths; the latest
// first.

import {pathInWords} from "./edge.js";
import {make} from "./dashboard_words.js";

const LINES = 200;

const tellers = {
  join: ({path}) => `joined, ${pathInWords(path)}`,
  leave: ({reason}) => `left (${reason})`,
  path: ({path, was}) => `from ${pathInWords(was)} to ${pathInWords(path)}`,
};

// If both paths have the same words, the API's names (tcp, udp) tell them apart.
function pathWords(event) {
  const same = pathInWords(event.was) === pathInWords(event.path);
  return same ? `from ${event.was} to ${event.path}` : tellers.path(event);
}

const rank = (path) => ["none", "relay"].indexOf(path) + 1 || 3;

function kindOf(event) {
  if (event.event !== "path") return event.event;
  return rank(event.path) < rank(event.was) ? "worse" : "better";
}

export class Story {
  #list;
  #calm;
  #waiting = [];

  // `calm` is the element that is shown while the list is empty.
  constructor(list, calm) {
    this.#list = list;
    this.#calm = calm;
  }

  // Adds an event of the API; the next flush() shows it.
  tell(event) {
    if (event.event in tellers)
      this.#keep(kindOf(event), event.name, event.event === "path"
        ? pathWords(event) : tellers[event.event](event));
  }

  // Adds a line about this node itself.
  say(kind, words) {
    this.#keep(kind, "", words);
  }

  #keep(kind, name, words) {
    this.#waiting.push({kind, name, words, at: new Date()});
    if (this.#waiting.length > LINES) this.#waiting.shift();
  }

  flush() {
    if (this.#waiting.length === 0) return;
    const lines = this.#waiting.splice(0).reverse();
    this.#list.prepend(...lines.map(({kind, name, words, at}) => {
      const item = make("li", kind);
      const time = make("time", "", at.toLocaleTimeString());
      time.dateTime = at.toISOString();
      item.append(time, " ", make("bdi", "", name), ` ${words}`);
      return item;
    }));
    while (this.#list.childElementCount > LINES)
      this.#list.lastElementChild.remove();
    this.#calm.hidden = true;
  }
}
