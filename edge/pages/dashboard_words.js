// Text for the dashboard, functions that write only changed text into the
// document, and a check for the mouse.

// A round trip, as `zs status` prints it.
export function rttInWords(ms) {
  if (typeof ms !== "number") return "-";
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}

const UNITS = ["B/s", "kB/s", "MB/s", "GB/s"];

export function rateInWords(bytes) {
  let unit = 0;
  while (bytes >= 999.5 && unit < UNITS.length - 1) {
    bytes /= 1000;
    unit++;
  }
  return `${bytes < 10 && unit > 0 ? bytes.toFixed(1) : Math.round(bytes)} ` +
         UNITS[unit];
}

// "12 messages/s, 1.2 kB/s"
export function flowInWords({messages, bytes}) {
  const count = messages > 0 && messages < 10 ? messages.toFixed(1)
                                              : Math.round(messages);
  return `${count} messages/s, ${rateInWords(bytes)}`;
}

export const hostOf = (url) =>
  url.replace(/^\w+:\/\//, "").replace(/[/?].*$/, "");
// "wss through proxy"
export const formInWords = (relay) =>
  `${relay.transport}${relay.proxy ? " through proxy" : ""}`;
export const relayName = (relay) => relay.name || hostOf(relay.url);
export const short = (text, length) =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

// What `zs netcheck` found, in one line; its findings say what that means.
export function networkInWords({udp, nat, port_mapping: map, clock, proxy}) {
  const passes = ["ipv4", "ipv6"].filter((family) => udp[family])
    .map((family) => family.replace("ipv", "IPv"));
  const maps = Object.keys(map).filter((way) => map[way] === "found");

  return [
    `UDP: ${passes.join(" and ") || "no answer"}`,
    `NAT: ${nat.mapping} mapping, ${nat.filtering} filtering`,
    nat.outside.length ? `seen at ${nat.outside.join(", ")}` : "",
    maps.length ? `the router maps ports (${maps.join(", ")})` : "",
    proxy?.found ? `proxy: ${proxy.found}` : "",
    typeof clock.skew_s === "number" && Math.abs(clock.skew_s) > 60
      ? `clock: off by ${Math.abs(clock.skew_s)} s` : "",
  ].filter(Boolean).join(" · ");
}

// A time, with its date if that is not today.
export function timeInWords(time) {
  const today = time.toDateString() === new Date().toDateString();
  return today ? time.toLocaleTimeString()
               : `${time.toLocaleDateString()} ${time.toLocaleTimeString()}`;
}

// A browser also sends pointer events when the page moves under a mouse at rest:
// after scrolling by a key, or sorting. These must not undo a selection by keys.
export const hasMoved = ({movementX, movementY}) =>
  movementX !== 0 || movementY !== 0;

export function put(element, text) {
  if (!element.firstChild) element.textContent = " ";
  if (element.firstChild.data !== text) element.firstChild.data = text;
}

export function putClass(element, name) {
  if (element.getAttribute("class") !== name)
    element.setAttribute("class", name);
}

export function make(tag, className, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
