// Alice, bob and carol chat, and dora comes by; carol is behind a relay.

import {check, eventually, lab, contrastOf, noScroll, openPage, openPages, picture, play}
  from "./kit.mjs";
import {EVERYONE, hasNote, hasPeople, hasWords, isMarked, person, say, turnTo,
        wordsOf} from "./chat_kit.mjs";

const PHONE = {viewport: {width: 390, height: 844}, hasTouch: true};
const LETTER = "Dear carol,\nthe whole text, " +
  "not just\n  the first word: \"yes\"";
const LONG_NAME = "zzz-a-very-long-name-of-a-machine.in-the-second-hall.org";
const MARKUP = ["<script>window.ran = 1</script>",
                "<img src=x onerror='window.ran = 1'>",
                "<b>bold</b> & &lt;i&gt;"];

async function comingAndGoing(pages) {
  await lab("member office dora");
  await lab("edge bob dora");
  for (const [name, page] of Object.entries(pages))
    await check(`${name} is told that dora came`, hasNote(page, "dora joined"));
  await turnTo(pages.alice, "dora");
  await say(pages.alice, "hello dora");
  await check("dora's node has a message",
              isMarked(pages.alice, "hello dora", "delivered, direct"));
  await lab("end dora");
  for (const [name, page] of Object.entries(pages)) {
    if (name === "alice") await turnTo(page, EVERYONE);
    await check(`${name} is told that she went`, hasNote(page, "dora left"));
  }
  await check("who did not talk to her lists her no more",
              hasPeople(pages.bob, "alice direct", "carol relayed"));
  await turnTo(pages.alice, "dora");
  await say(pages.alice, "are you there?");
  await check("who is gone gets no message", isMarked(
    pages.alice, "are you there?", "not delivered: not here"));
  await turnTo(pages.alice, EVERYONE);
}

async function publicWords({alice, bob, carol}) {
  await say(alice, "Good morning, all of you");
  await check("bob reads what is for all",
              hasWords(bob, "Good morning, all of you"));
  await check("carol too", hasWords(carol, "Good morning, all of you"));
  await check("alice sees how many it went to",
              isMarked(alice, "Good morning, all of you", "sent to 2"));
  await say(carol, "ten is fine");
  await check("carol's words go round", hasWords(alice, "ten is fine"));
  await check("to both", hasWords(bob, "ten is fine"));
}

async function privateWords({alice, bob, carol}) {
  await turnTo(alice, "carol");
  await say(alice, LETTER);
  await check("a private message is delivered by the relay",
              isMarked(alice, "the whole text", "delivered, relayed"));
  await check("carol sees that there is one", person(carol, "alice")
    .getByText("1 unread").waitFor().then(() => true));
  await turnTo(carol, "alice");
  await check("and reads the whole of it", hasWords(carol, LETTER));
  await turnTo(alice, "bob");
  await say(alice, "lunch at one?");
  await check("one to bob is delivered directly",
              isMarked(alice, "lunch at one?", "delivered, direct"));
  await turnTo(bob, "alice");
  await check("he has it, and never what was for carol",
              JSON.stringify(await wordsOf(bob)) === '["lunch at one?"]',
              await wordsOf(bob));
  await turnTo(bob, EVERYONE);
  await check("nor among what is for all",
              !(await wordsOf(bob)).includes(LETTER));
  await turnTo(carol, EVERYONE);
}

// The same as in `zs chat`.
async function linesThatAreNotForAll({alice, bob, carol}) {
  const field = alice.getByRole("textbox");
  const before = await wordsOf(carol);

  await turnTo(alice, EVERYONE);
  for (const [line, why] of [
    ["@nobody a secret", "nobody called nobody is here"],
    [" @bob", "a message to one is @NAME TEXT"],
    ["/hlep", "unknown command /hlep"], ["/ help", "unknown command /;"],
  ]) {
    await say(alice, line);
    await check(`${line} is refused`, hasNote(alice, why));
    await check("and can be mended",
                eventually(async () => await field.inputValue() === line));
  }
  await say(alice, "/help");
  await check("/help is answered here", hasNote(alice, "to one alone"));
  await say(alice, "/who");
  await check("/who too", hasNote(alice, "here: bob (direct)"));
  await say(alice, "\u00a0@bob for bob alone");
  await check("@NAME TEXT goes to one", isMarked(
    alice, "for bob alone", "delivered, direct"));
  await say(alice, "/msg bob and this");
  await check("also as /msg", isMarked(alice, "and this", "delivered, direct"));
  await turnTo(alice, EVERYONE);
  await say(alice, "@@bob //x");
  await check("@@ publishes", hasWords(carol, "@bob //x"));
  await say(alice, "//etc");
  await check("// too", hasWords(carol, "/etc"));
  await check("and all else was for nobody but bob", JSON.stringify(
    (await wordsOf(carol)).slice(before.length)) === '["@bob //x","/etc"]',
              await wordsOf(carol));
  await turnTo(bob, "alice");
  await check("who has it", hasWords(bob, "for bob alone"));
  await turnTo(bob, EVERYONE);
}

async function textIsNoMarkup(pages) {
  const {alice, bob} = pages;

  await turnTo(alice, EVERYONE);
  for (const text of MARKUP) {
    await say(alice, text);
    await check(`${text} stays text`, hasWords(bob, text));
  }
  for (const [name, page] of Object.entries(pages))
    await check(`and ran nowhere at ${name}'s`, page.evaluate(() =>
      window.ran === undefined &&
      document.querySelector("#log script, #log img, #log b") === null));
}

async function byKeyboard({bob, carol}) {
  const focused = () => bob.evaluate(() =>
    document.activeElement.dataset.id && document.activeElement.textContent);

  await bob.reload();
  await person(bob, "carol").waitFor();
  for (let i = 0; i < 9 && !/carol/.test(await focused()); i++)
    await bob.keyboard.press("Tab");
  await check("Tab comes to carol", focused());
  await check("and it shows", bob.evaluate(() =>
    getComputedStyle(document.activeElement).outlineStyle === "solid"));
  await picture(bob, "chat-focus");
  await bob.keyboard.press("Enter");
  await bob.keyboard.type("typed only");
  await bob.keyboard.press("Shift+Enter");
  await bob.keyboard.type("on keys");
  await bob.keyboard.press("Enter");
  await turnTo(carol, "bob");
  await check("carol reads what was typed",
              hasWords(carol, "typed only\non keys"));
  await bob.keyboard.press("Escape");
  await check("Escape goes back to all", bob.getByRole(
    "heading", {name: EVERYONE, exact: true}).waitFor().then(() => true));
  await bob.keyboard.type("back again");
  await bob.keyboard.press("Enter");
  await turnTo(carol, EVERYONE);
  await check("where one writes on", hasWords(carol, "back again"));
}

// What a screen reader goes by.
async function byEar({alice, carol}) {
  const log = alice.getByRole("log", {name: EVERYONE});

  await check("the conversation is a log with a name", log.count());
  await check("which is read out as it grows",
              await log.getAttribute("aria-live") === "polite");
  await check("the field has a label",
              alice.getByRole("textbox", {name: "Message"}).count());
  await check("the connection's state is a status",
              alice.getByRole("status").getByText("connected").count());
  await check("the people are a list in a region of its own",
              alice.getByRole("navigation", {name: "Conversations"})
                .getByRole("list").count());
  await check("which says where one is", alice.getByRole("button", {
    name: EVERYONE}).getAttribute("aria-current").then((x) => x === "true"));
  await check("and how each is reached", alice.getByRole("button", {
    name: "carol relayed"}).count());
  await check("a message begins with who says it", log.getByText(
    /carol\s*:/).count());
  await check("each is an entry", log.getByRole("listitem").count());
  await check("all text stands out", contrastOf(alice));
  await carol.emulateMedia({colorScheme: "dark"});
  await check("in the dark too", contrastOf(carol));
}

async function onAPhone() {
  const phone = await openPage("alice", "/", PHONE);
  const long = `W${"o".repeat(300)}rd`;

  await person(phone, "carol").waitFor();
  await check("a phone scrolls to no side", noScroll(phone));
  await say(phone, long);
  await hasWords(phone, long);
  await check("nor with a long word", noScroll(phone));
  await turnTo(phone, "carol");
  await say(phone, "from a phone");
  await check("it sends as any other",
              isMarked(phone, "from a phone", "delivered, relayed"));
  await picture(phone, "chat-phone");
  await check("all text stands out there", contrastOf(phone));
  await lab(`member office ${LONG_NAME}`);
  await lab(`edge bob ${LONG_NAME}`);
  await turnTo(phone, LONG_NAME);
  await check("a long name makes it no wider", noScroll(phone));
  await check("nor the field any higher", phone.getByRole("textbox")
    .evaluate((field) => field.clientHeight < 60));
  await check("and whom one talks to is in sight", person(phone, LONG_NAME)
    .evaluate((button) => {
      const {left, right} = button.getBoundingClientRect();
      if (left < 0 || right > innerWidth) throw new Error(`${left} to ${right}`);
      return true;
    }));
  await picture(phone, "chat-long-name");
}

await play(async () => {
  const pages = await openPages("/");

  await check("alice's page lists the others",
              hasPeople(pages.alice, "bob direct", "carol relayed"));
  await check("and carol's",
              hasPeople(pages.carol, "alice relayed", "bob relayed"));
  await comingAndGoing(pages);
  await publicWords(pages);
  await privateWords(pages);
  await linesThatAreNotForAll(pages);
  await textIsNoMarkup(pages);
  await byKeyboard(pages);
  await byEar(pages);
  await onAPhone();
});
