// The dashboard with 200 peers, told by an edge that is a fake: what an update
// costs, and what a page of so many is like to use.

import {check, eventually, missesItsEdge, openPage, picture, play, sees}
  from "./kit.mjs";
import {fakeEdge} from "./fake_edge.mjs";

const MANY = 200;
const ROUNDS = 8;
const HOSTILE = "<script>document.title='bad'</script><b>x";

// Runs in the page, before its code: how long its work in each frame takes, and
// how many elements come and go.
function measured() {
  const frame = requestAnimationFrame.bind(window);
  window.took = [];
  window.moved = 0;
  window.requestAnimationFrame = (work) => frame((at) => {
    const begin = performance.now();
    work(at);
    window.took.push(performance.now() - begin);
  });
  new MutationObserver((records) => {
    for (const {addedNodes, removedNodes} of records)
      window.moved += addedNodes.length + removedNodes.length;
  }).observe(document, {subtree: true, childList: true});
}

const both = (count, relays) =>
  ({content: `(${measured})();\n${fakeEdge(count, relays).content}`});

const shows = (page) => eventually(() => page.evaluate(() => {
  const {peers} = window.fake;
  return document.querySelectorAll("#picture .peer").length === peers.length &&
    document.querySelectorAll("#peers tbody tr").length === peers.length &&
    peers.every((peer) => {
      const ms = peer.rtt_ms;
      const [row] = document.querySelectorAll(`#peers [data-id="${peer.id}"]`);
      return row?.querySelector(".rtt").textContent ===
        `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
    });
}));

// Does something some times, each shown before the next.
async function measure(page, act) {
  await page.evaluate(() => { window.took.length = 0; window.moved = 0; });
  let shown = true;
  for (let i = 0; i < ROUNDS; i++) {
    await page.evaluate(act);
    shown = await shows(page) && shown;
  }
  const {took, moved} = await page.evaluate(() => ({took, moved}));
  took.sort((a, b) => a - b);
  return {shown, moved, median: took[took.length >> 1], most: took.at(-1)};
}

const figure = ({median, most, moved}) =>
  `median ${median.toFixed(1)} ms, most ${most.toFixed(1)} ms, ` +
  `${moved} elements added or removed`;

await play(async () => {
  const page = await openPage("alice", "/dashboard", {
    before: both(MANY, 2), viewport: {width: 1200, height: 900}});
  await check("200 peers are drawn and listed", shows(page));
  const drawing = Math.max(...await page.evaluate(() => window.took));

  const still = await measure(page, () => fake.measure());
  await check("new round trips are shown and nothing is made for them",
              still.shown && still.moved === 0, figure(still));
  await check("they cost less than to draw all", still.median < drawing,
              `${figure(still)}; all: ${drawing.toFixed(1)} ms`);
  const churn = await measure(page, () => { fake.measure(); fake.churn(5); });
  // Five come, five go and five change, each round: their group, line, row,
  // and line in the time line.
  await check("joins, leaves and changes make what is theirs alone",
              churn.shown && churn.moved <= ROUNDS * 5 * 20, figure(churn));
  await check("they do, too", churn.median < drawing, figure(churn));

  await page.evaluate(() => {
    fake.relays[1].state = "down";
    fake.path(fake.peers[4].id, "none");
  });
  await sees(page, "1 without a path");
  await check("names do not lie on each other", eventually(() =>
    page.evaluate(overlaps).then((count) => count === 0)));
  await picture(page, "dashboard-200", {fullPage: true});

  await page.getByRole("searchbox").fill("node-15");
  await check("the filter leaves those in the table", eventually(async () =>
    (await page.locator("#peers tbody th").allInnerTexts())
      .every((name) => name.includes("node-15"))));
  await check("and dims the others in the picture", eventually(() =>
    page.evaluate(() =>
      document.querySelectorAll("#picture .peer.dim").length > 0 &&
      document.querySelectorAll("#picture .peer:not(.dim)").length ===
      document.querySelectorAll("#peers tbody tr").length)));
  await page.getByRole("searchbox").fill("");

  await page.getByRole("button", {name: "RTT"}).click();
  await check("the table is sorted by round trip", eventually(() =>
    page.evaluate(() => {
      const cells = [...document.querySelectorAll("#peers td.rtt")];
      const values = cells.map((cell) => parseFloat(cell.textContent));
      return values.length > 100 &&
        values.every((value, i) => i === 0 || values[i - 1] <= value);
    })));
  await page.locator("#picture").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  const said = () => page.locator("#spoken").innerText();
  await check("the arrow keys go from node to node, and it is said",
              eventually(async () =>
                (await said()).startsWith("relay relay-1, up")));
  await scrolledBeneath(page);
  await check("a mouse at rest takes it from nobody",
              (await said()).startsWith("relay relay-1, up"), await said());
  await page.locator("#picture").hover({position: await somewhere(page)});
  await check("a peer pointed at is told of, and its row is marked",
              eventually(async () =>
                await page.locator("#peers tr.pointed th").innerText() ===
                await page.locator("#pointed-name").innerText()));

  await page.evaluate((name) => {
    const peer = fake.join("tcp");
    peer.name = name;
    peer.info = {role: name};
    fake.path(peer.id, "relay");
  }, HOSTILE);
  await check("a name is text",
              page.locator("#peers th", {hasText: HOSTILE}).waitFor()
                .then(() => page.title()).then((title) => title !== "bad"));
  await check("and makes no element", page.evaluate(() =>
    document.querySelectorAll("main script, main b").length === 0));

  const empty = await openPage("alice", "/dashboard", {before: both(0, 0)});
  await check("nobody is there, and no relay: both are said",
              sees(empty, "No other node is here. Those on the same network")
                .then(() => empty.locator("#no-relays").isVisible()));
  await picture(empty, "dashboard-empty", {fullPage: true});
  missesItsEdge(empty, true);
  await empty.evaluate(() => { fake.refuse = true; fake.cut(); });
  await check("an edge that is gone is said",
              sees(empty, "This is the mesh as it was"));

  const phone = await openPage("alice", "/dashboard", {
    before: both(MANY, 1), colorScheme: "dark",
    viewport: {width: 390, height: 844}});
  await check("a phone shows as many", shows(phone));
  await check("and is not wider than its screen", phone.evaluate(() =>
    document.documentElement.scrollWidth <= innerWidth));
  await picture(phone, "dashboard-200-phone", {fullPage: true});
});

// Runs in the page: how many names lie on another.
function overlaps() {
  const boxes = [...document.querySelectorAll("#picture .nodes text")]
    .map((text) => text.getBoundingClientRect()).filter((box) => box.width > 0);
  const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 &&
    a.top < b.bottom - 3 && b.top < a.bottom - 3;
  return boxes.length < 20 ? Infinity : boxes.reduce((sum, one, i) =>
    sum + boxes.slice(i + 1).filter((other) => meets(one, other)).length, 0);
}

// The page goes back and forth below the mouse, which Chromium then says to
// move: by a row of the table and by the picture, some frames each.
async function scrolledBeneath(page) {
  for (const place of ["#peers tbody tr:nth-child(40)", "#picture"])
    await page.locator(place).evaluate(async (element) => {
      element.scrollIntoView({block: "center"});
      await new Promise((go) => setTimeout(go, 200));
    });
}

// Where some peer is, in the picture.
async function somewhere(page) {
  return page.evaluate(() => {
    const [x, y] = document.querySelector("#picture .peer")
      .getAttribute("transform").match(/[\d.]+/g).map(Number);
    return {x, y};
  });
}
