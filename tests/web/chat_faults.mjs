// What alice, bob and carol see of each other while things fail.

import {check, eventually, lab, missesItsEdge, openPages, picture, play, sees,
        zs} from "./kit.mjs";
import {EVERYONE, hasNote, hasPeople, hasWords, isMarked, say, turnTo, wordsOf}
  from "./chat_kit.mjs";

const RUN = 300; // numbered messages
const CUT_AT = 100; // the direct path is cut after so many

// Numbers 1 to RUN, written as a person would who is very quick.
const count = (page) => page.evaluate(async (run) => {
  for (let i = 1; i <= run; i++) {
    document.getElementById("text").value = `number ${i}`;
    document.getElementById("form").requestSubmit();
    await new Promise((go) => setTimeout(go, 5));
  }
}, RUN);

const numbersOf = async (page) =>
  (await wordsOf(page)).filter((words) => words.startsWith("number "));

async function hasCounted(page) {
  const wanted = Array.from({length: RUN}, (_, i) => `number ${i + 1}`).join();
  const all = async () => (await numbersOf(page)).length >= RUN;

  if (!await eventually(all))
    throw new Error(`${(await numbersOf(page)).length} came`);
  const came = (await numbersOf(page)).join();
  if (came !== wanted) throw new Error(`came: ${came}`);
  return true;
}

async function cutPath({alice, bob}) {
  await turnTo(alice, "bob");
  await turnTo(bob, "alice");
  const counted = count(alice);
  await hasWords(bob, `number ${CUT_AT}`);
  await lab("cut");
  await check("the list shows alice that bob is relayed",
              hasPeople(alice, "bob relayed", "carol relayed"));
  await check("and the head of their talk", alice.locator("#about")
    .getByText("private, relayed").waitFor().then(() => true));
  await counted;
  await check("no number is lost or doubled", hasCounted(bob), `${RUN} came`);
  const notYet = alice.locator(".mark:not(:text('delivered'))");
  await check("each is marked delivered",
              eventually(async () => await notYet.count() === 0));
  await check("the first directly", (await alice.locator(".message.mine .mark")
    .first().textContent()).includes("delivered, direct"));
  await check("the last by the relay",
              isMarked(alice, `number ${RUN}`, "delivered, relayed"));
  await check("which both programs say, too",
              (await zs("alice", "peers")).match(/^bob .* relay /m));
  await lab("mend");
  await check("the direct path comes back",
              hasPeople(alice, "bob direct", "carol relayed"));
}

async function killedEdge({alice, bob, carol}) {
  await turnTo(alice, EVERYONE);
  await say(alice, "before it went");
  await turnTo(bob, EVERYONE);
  await hasWords(bob, "before it went");
  missesItsEdge(bob, true);
  await lab("end bob KILL");
  await check("a killed edge leaves carol's list",
              hasPeople(carol, "alice relayed"));
  await check("which says so", hasNote(carol, "bob left"));
  await check("it leaves alice's, where there are words of his",
              hasPeople(alice, "carol relayed", "bob left"));
  await turnTo(alice, "bob");
  await say(alice, "still there?");
  await check("what is said to him is not delivered",
              isMarked(alice, "still there?", "not delivered"));
  await picture(alice, "chat-failed");
  await check("his own page says that its edge is away",
              sees(bob, "the edge is away; trying again"));
  await check("and sends nothing", bob.getByRole("button", {name: "Send"})
    .isDisabled());
  await say(bob, "kept for later");
  await check("but keeps what one writes", await bob.getByRole("textbox")
    .inputValue() === "kept for later");
}

async function comeBack({alice, bob, carol}) {
  await lab("edge bob bob");
  await check("a page finds its edge again by itself",
              bob.locator("#connection.up").waitFor().then(() => true));
  missesItsEdge(bob, false);
  await check("its list is right again",
              hasPeople(bob, "alice direct", "carol relayed"));
  const present = (await zs("bob", "peers", "--json")).trim().split("\n")
    .map((line) => JSON.parse(line).name).sort().join();
  await check("as bob's edge says", present === "alice,carol", present);
  await check("the history is still there", hasWords(bob, "before it went"));
  await check("with a note of the gap", hasNote(bob, "connected again"));
  await check("and nobody seems to have left", await bob.locator(
    "#log .note", {hasText: /^(alice|carol) (left|joined)/}).count() === 0);
  await check("alice sees bob again",
              hasPeople(alice, "bob direct", "carol relayed"));
  await check("and is told", hasNote(alice, "bob is here again"));
  await check("so is carol", hasNote(carol, "bob joined"));
  await bob.getByRole("textbox").press("Enter");
  await check("what was kept is sent", hasWords(carol, "kept for later"));
  await turnTo(alice, EVERYONE);
  await check("to everyone", hasWords(alice, "kept for later"));
  await say(alice, "welcome back");
  await check("and what is said comes to bob", hasWords(bob, "welcome back"));
}

await play(async () => {
  const pages = await openPages("/");

  await check("at first alice reaches bob directly",
              hasPeople(pages.alice, "bob direct", "carol relayed"));
  await cutPath(pages);
  await killedEdge(pages);
  await comeBack(pages);
});
