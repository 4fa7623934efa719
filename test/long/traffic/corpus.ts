import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Change } from "./measure.ts";
import type { ClientTransaction } from "./protocol.ts";

const CORPUS = join(import.meta.dirname, "..", "..", "corpus");

/**
 * A table that clients use besides those of the corpus, so that they come to these with locks of others in
 * their hands.
 */
const BESIDES = "traffic.control";

/** The changes of the corpus that have rows, in both directions. */
export function corpusChanges(): Change[] {
  return readdirSync(CORPUS)
    .sort()
    .filter((name) => existsSync(join(CORPUS, name, "seed.sql")))
    .flatMap((name) => {
      const read = (file: string): string =>
        existsSync(join(CORPUS, name, file)) ? readFileSync(join(CORPUS, name, file), "utf8") : "";
      const [a, b] = [read("a.sql"), read("b.sql")];
      const approvals = (file: string): string[] => read(file).split("\n").filter(Boolean);
      const both = {
        rows: read("seed.sql"),
        transactions: workOn(tablesIn(a).filter((table) => tablesIn(b).includes(table))),
      };
      return [
        { name: `${name}, a to b`, before: a, after: b, allow: approvals("to-b.allow"), ...both },
        { name: `${name}, b to a`, before: b, after: a, allow: approvals("to-a.allow"), ...both },
      ];
    });
}

/** Names of tables as the files of the corpus write them. */
function tablesIn(sql: string): string[] {
  return [...sql.matchAll(/^create table (\S+|"[^"]+"\.(?:"(?:[^"]|"")+")) \(/gm)].map(([, name]) => name ?? "");
}

/**
 * Reads and writes that fit any table: they take the locks of an application's statements, and meet no row.
 */
function workOn(tables: string[]): ClientTransaction[] {
  const pause = { pauseMs: [50, 200] as [number, number] };
  const besides = `select n from ${BESIDES} where id = -$client`;
  return tables.flatMap((table): ClientTransaction[] => {
    const read = `select count(*) from ${table}`;
    const write = `delete from ${table} where false`;
    return [
      { weight: 6, steps: [read] },
      { weight: 6, steps: [write] },
      { weight: 2, steps: [besides, write, read] },
      { weight: 2, steps: [...tables.map((each) => `delete from ${each} where false`), besides] },
      { weight: 2, steps: [...tables.toReversed().map((each) => `delete from ${each} where false`), besides] },
      { weight: 1, steps: [read, pause, write] },
      { weight: 1, steps: [write, pause] },
    ];
  });
}
