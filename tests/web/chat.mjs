// Three people chat; carol is behind a relay.

import {check, openPage, play, sees} from "./kit.mjs";

await play(async () => {
  const alice = await openPage("alice", "/");
  const bob = await openPage("bob", "/");
  const carol = await openPage("carol", "/");
  const person = (page, name) =>
    page.locator("#people").getByRole("button", {name});

  await check("alice's page lists bob", sees(alice, "bob"));
  await check("carol's page lists alice", person(carol, /alice relayed/).waitFor().then(() => true));
  await alice.getByRole("textbox").fill("Good morning, all");
  await alice.keyboard.press("Enter");
  await check("bob reads it", sees(bob, "Good morning, all"));
  await check("carol reads it", sees(carol, "Good morning, all"));
});
