// What the chat page does with a line: the same as `zs chat` (test_chat.c).
import assert from "node:assert/strict";
import {findPerson, readLine} from "../../edge/pages/chat_line.js";

const BLANKS = ["", " ", "\t", "   \t ", "\u00a0", "\u3000", "\ufeff", "\u200b",
                "\u202e ", "\n"];
const LINES = ["@bob secret", "@nobody secret", "@bob\tsecret", "@",
               "@ bob secret", "@bob, secret", "/help", "/Help", "/hlep", "/",
               "/ help", "/bob secret", "/msg bob secret", "/msg",
               "/publish x", "@bob\nsecret", "/constructor"];

for (const blank of BLANKS)
  for (const line of LINES)
    assert.notEqual(readLine(blank + line).kind, "say", blank + line);
for (const [line, text] of [
  ["//help", "/help"], ["@@bob hello", "@bob hello"],
  [" //etc/passwd", "/etc/passwd"], ["@@@", "@@"], [" a line", " a line"],
  ["me@example.org", "me@example.org"], ["a\n@bob b", "a\n@bob b"]])
  assert.deepEqual(readLine(line), {kind: "say", text});
assert.deepEqual(readLine("@bob  two  words"),
                 {kind: "private", name: "bob", text: "two  words"});
assert.deepEqual(readLine("/msg bob a\nb"),
                 {kind: "private", name: "bob", text: "a\nb"});
for (const blank of BLANKS)
  assert.equal(readLine(blank).kind, "nothing");

const PEOPLE = [
  {id: "aaaaaaaa1", name: "bob", here: true},
  {id: "aaaaaaaa2", name: "carol", here: true},
  {id: "bbbbbbbb3", name: "dora", here: false},
  {id: "cccccccc4", name: "eve", here: true},
  {id: "dddddddd5", name: "eve", here: true}];

assert.equal(findPerson(PEOPLE, "bob").person, PEOPLE[0]);
assert.equal(findPerson(PEOPLE, "CCCCCCCC").person, PEOPLE[3]);
assert.match(findPerson(PEOPLE, "aaaaaaaa").why, /several/);
assert.match(findPerson(PEOPLE, "eve").why, /several/);
for (const name of ["dora", "bo", "aaaa", "nobody", "", "BOB"])
  assert.match(findPerson(PEOPLE, name).why, /nobody called/);
