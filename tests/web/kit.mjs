// What the scenarios share: browsers on the lab's hosts, the lab itself, and
// checks that are counted with its own.
//
//   import {check, lab, openPage, play, sees} from "./kit.mjs";
//
//   await play(async () => {
//     const alice = await openPage("alice", "/");
//     await lab("end bob KILL");
//     await check("alice sees it", sees(alice, "bob left"));
//   });

import {execFile} from "node:child_process";
import {readFileSync, writeSync} from "node:fs";
import {createRequire} from "node:module";
import {Socket} from "node:net";
import {createInterface} from "node:readline";
import {promisify} from "node:util";

const {chromium} = createRequire(`${process.env.ZS_WEB}/`)("playwright-core");

export const PATIENCE_MS = 60000; // for whatever is waited for
const browsers = new Map(); // host -> a promise of its browser
const complaints = []; // of the pages opened so far
const edgeless = new Set(); // pages whose edge is away, as it should be

// ---- The lab

const answers = createInterface({input: new Socket({fd: 4})})
  [Symbol.asyncIterator]();
let last = Promise.resolve();

// Runs a command of the lab's shell, one after the other: its exit code.
export function lab(command) {
  last = last.then(async () => {
    writeSync(3, `${command.replaceAll("\n", " ")}\n`);
    return Number((await answers.next()).value);
  });
  return last;
}

// `zs` at that edge: what it printed.
export async function zs(name, ...words) {
  const run = await promisify(execFile)(`${process.env.ZS_BIN}/zs`, [
    "--socket", `/run/zeroservices/${name}.sock`, ...words]);
  return run.stdout;
}

// ---- Checks

const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

// `good` is a value, or a promise of one; one that is refused is bad.
export async function check(what, good, figure = "") {
  let why = figure;
  let isGood = false;
  try {
    isGood = Boolean(await good);
  } catch (error) {
    why = String(error.message).split("\n").slice(0, 3).join(" ");
  }
  await lab(`${isGood ? "ok" : "not_ok"} ${quoted(what)} ${quoted(why)}`);
  return isGood;
}

// Waits until a function's answer is true: whether it came to that.
export async function eventually(is, patience = PATIENCE_MS) {
  const end = Date.now() + patience;
  while (!await is()) {
    if (Date.now() > end) return false;
    await new Promise((go) => setTimeout(go, 30));
  }
  return true;
}

// ---- Pages

function launched(host) {
  if (!browsers.has(host))
    browsers.set(host, chromium.launch({
      executablePath: `${process.env.LAB}/chromium-${host}`,
      args: ["--no-sandbox", "--disable-dev-shm-usage",
             "--host-resolver-rules=MAP evil.example 127.0.0.1"],
    }));
  return browsers.get(host);
}

// The address at which an edge lets a browser in, as `zs status` shows it.
export function addressOf(edge, url, server = "http://127.0.0.1:8080") {
  const address = new URL(url, server);
  address.searchParams.set("token", readFileSync(
    `/run/zeroservices/${edge}.token`, "utf8").trim());
  return address.href;
}

// The page of an edge in the browser of its host, in a session of its own: with
// its token, unless `url` is whole. Options are those of a context, such as
// {viewport: {width, height}, colorScheme: "dark"}, and
// `before`: a function that the page runs before its own code.
// `complains`: it will, and that is no fault: nothing of it is kept.
export async function openPage(host, url, options = {}) {
  const {before, complains, ...ofContext} = options;
  const context = await (await launched(host)).newContext({
    viewport: {width: 1000, height: 640}, locale: "en-GB", ...ofContext});
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  if (before) await page.addInitScript(before);
  if (!complains) watch(page, host);
  await page.goto(URL.canParse(url) ? url : addressOf(host, url));
  return page;
}

// A header for edges behind a TLS proxy; without one Chromium says this.
const PLAIN_HTTP = "The Cross-Origin-Opener-Policy header has been ignored";
const MISSES = /ERR_CONNECTION_|ERR_EMPTY_RESPONSE|WebSocket connection to/;

// The same page at alice's, bob's and carol's, by their names.
export async function openPages(url) {
  const hosts = ["alice", "bob", "carol"];
  const pages = await Promise.all(hosts.map((host) => openPage(host, url)));
  return Object.fromEntries(hosts.map((host, i) => [host, pages[i]]));
}

// Whatever a page complains of, its CSP's violations too, and whatever it
// fetches from anywhere but its edge, is kept for noComplaints.
function watch(page, host) {
  const complain = (what) => complaints.push(`${host}: ${what}`);

  page.on("pageerror", (error) => complain(error));
  page.on("dialog", (dialog) => {
    complain(`a dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on("console", (said) => {
    if (!["error", "warning"].includes(said.type())) return;
    if (said.text().startsWith(PLAIN_HTTP)) return;
    if (edgeless.has(page) && MISSES.test(said.text())) return;
    complain(said.text());
  });
  page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(page.url()).host &&
        page.url() !== "about:blank")
      complain(`it fetches ${request.url()}`);
  });
}

// A page whose edge is about to end says in the console that it cannot reach
// it: that is no fault of its own.
export function missesItsEdge(page, whether) {
  if (whether) edgeless.add(page);
  else edgeless.delete(page);
}

export const sees = (page, text, patience = PATIENCE_MS) =>
  page.getByText(text).first().waitFor({timeout: patience}).then(() => true);

export async function noComplaints() {
  await check("no page complained, or fetched from elsewhere",
              complaints.length === 0, complaints.splice(0).join("; "));
}

// ---- What every page should keep to

// No text is fainter than WCAG 2.1 AA allows: 4.5 to 1, large ones 3 to 1.
export async function contrastOf(page) {
  const faint = await page.evaluate(() => {
    const brightness = (rgb) => {
      const [r, g, b] = rgb.map((x) => x / 255).map((x) =>
        x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
    const backOf = (element) => {
      for (let e = element; e; e = e.parentElement) {
        const [r, g, b, opaque = 1] =
          numbers(getComputedStyle(e).backgroundColor);
        if (opaque > 0) return [r, g, b];
      }
      return [255, 255, 255];
    };
    const contrast = (a, b) =>
      (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const hasText = (element) => [...element.childNodes].some((n) =>
      n.nodeType === Node.TEXT_NODE && n.data.trim() !== "");
    const problems = [];
    const judge = (element, style, text) => {
      const large = parseFloat(style.fontSize) >= 24;
      const is = contrast(brightness(numbers(style.color).slice(0, 3)),
                          brightness(backOf(element)));
      if (is < (large ? 3 : 4.5)) problems.push(`${is.toFixed(2)} ${text}`);
    };
    for (const element of document.querySelectorAll("body *")) {
      if (!element.checkVisibility() || element.namespaceURI.endsWith("svg"))
        continue;
      if (hasText(element))
        judge(element, getComputedStyle(element), element.textContent);
      if (element.placeholder)
        judge(element, getComputedStyle(element, "::placeholder"),
              element.placeholder);
    }
    return problems;
  });
  if (faint.length > 0) throw new Error(`too faint: ${faint.join("; ")}`);
  return true;
}

// Nothing reaches out of the page to the side.
export async function noScroll(page) {
  const [wide, room] = await page.evaluate(() => [
    document.scrollingElement.scrollWidth, innerWidth]);
  if (wide > room) throw new Error(`${wide} px wide in ${room} px`);
  return true;
}

// A picture for people to look at, where ZS_WEB_PICTURES names a folder.
export async function picture(page, name, options = {}) {
  const folder = process.env.ZS_WEB_PICTURES;
  if (folder)
    await page.screenshot({path: `${folder}/${name}.png`, ...options});
}

// Plays a scenario, and ends its browsers.
export async function play(scene) {
  try {
    await scene();
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
  }
  await noComplaints();
  for (const browser of browsers.values())
    await (await browser).close();
  process.exit();
}
