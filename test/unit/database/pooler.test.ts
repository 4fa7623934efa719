import { expect, test } from "vitest";
import { shareSessions, usualAddress } from "../../../provider/database/pooler.ts";

/** Asks that are answered by these processes, one after another; the last one answers from then on. */
function answers(...pids: number[]): () => Promise<number> {
  return async () => (pids.length > 1 ? pids.shift() : pids[0]) ?? 0;
}

test.each([
  ["the same idle process serves both", answers(7), answers(7), true],
  ["each transaction goes to the next process", answers(7, 9, 8), answers(8, 7, 9), true],
  ["the second meets the process of the first later", answers(7), answers(8, 7), true],
  ["another client takes a process in between", answers(7, 7, 9), answers(8), true],
  ["each keeps its own", answers(7), answers(8), false],
])("sessions are shared or not: %s", async (_case, first, second, shared) => {
  expect(await shareSessions(first, second)).toBe(shared);
});

test.each([
  ["aws-0-eu.pooler.example.com", 6543, "port 5432 in place of 6543"],
  ["db.example.com", 6432, "port 5432 in place of 6432"],
  ["ep-cool-darkness-1-pooler.eu.example.com", 5432, "ep-cool-darkness-1.eu.example.com"],
  ["db-pooler", 5432, "db"],
])("the usual address beside %s:%i is named", (host, port, instead) => {
  expect(usualAddress(host, port)).toMatch(new RegExp(`^: most often it is .*${instead.replaceAll(".", "\\.")}$`));
});

test.each([
  ["db.example.com", 5432],
  ["pooler.example.com", 5432],
])("of an address that looks like none of them nothing is said (%s:%i)", (host, port) => {
  expect(usualAddress(host, port)).toBe("");
});
