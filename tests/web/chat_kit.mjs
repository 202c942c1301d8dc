// What a person does at the chat page, and what it shows.

import {eventually} from "./kit.mjs";

export const EVERYONE = "Everyone";

export const person = (page, name) =>
  page.locator("#people button", {has: page.getByText(name, {exact: true})});

export async function turnTo(page, name) {
  await person(page, name).click();
  await page.getByRole("heading", {name, exact: true}).waitFor();
}

export async function say(page, text) {
  await page.getByRole("textbox").fill(text);
  await page.keyboard.press("Enter");
}

// The messages of the conversation that is shown, oldest first.
export const wordsOf = (page) => page.locator("#log .words").allTextContents();

export const hasWords = (page, text) =>
  eventually(async () => (await wordsOf(page)).includes(text));

export const hasNote = (page, text) =>
  page.locator("#log .note").getByText(text).last().waitFor().then(() => true);

// What became of a message of one's own comes to read so.
export const isMarked = (page, text, mark) =>
  page.locator(".message.mine", {hasText: text})
    .locator(".mark", {hasText: mark}).waitFor().then(() => true);

// Everyone is told of first, then each person with how they are reached.
export const peopleOf = (page) => page.locator("#people li").evaluateAll(
  (items) => items.map((item) => [...item.querySelectorAll(".name, .path")]
    .map((x) => x.textContent).join(" ").trim()));

export const hasPeople = (page, ...wanted) =>
  eventually(async () => JSON.stringify((await peopleOf(page)).slice(1)) ===
                         JSON.stringify(wanted));
