/**
 * `pg_dump` of version 18, which reads each server that the tests run on: of this machine, or a wheel's,
 * kept in the user's cache.
 */
import { join } from "node:path";
import { execa } from "execa";
import { projectRoot } from "../../tools/lib/paths.ts";
import { ensurePgTools } from "../../tools/setup/pgTools.ts";

const MAJOR = 18;

let found: Promise<string | undefined> | undefined;

/** The path of the executable; undefined where this machine has none and cannot get one. */
export function findPgDump(): Promise<string | undefined> {
  found ??= find();
  return found;
}

async function find(): Promise<string | undefined> {
  const tools = await ensurePgTools({ root: projectRoot, major: MAJOR, log: () => {} });
  return tools && join(tools.place, "pg_dump");
}

/**
 * The objects that `pg_dump --schema-only` writes of a database, sorted; so are the grants of one object.
 */
export async function schemaDump(pgDump: string, url: string): Promise<string[]> {
  const target = new URL(url);
  const password = decodeURIComponent(target.password);
  target.password = "";
  const { stdout } = await execa(pgDump, ["--schema-only", "--no-sync", "--dbname", target.href], {
    env: { PGPASSWORD: password },
  });
  return stdout
    .split(/^-- Name: /m)
    .slice(1)
    .map((entry) => (/^GRANT /m.test(entry) ? entry.split("\n").sort().join("\n") : entry).trim())
    .map((entry) => entry.replace(/^\\(un)?restrict .*$|^-- PostgreSQL database dump complete$|^--$/gm, "").trim())
    .sort();
}
