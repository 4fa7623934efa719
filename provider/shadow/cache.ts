/**
 * Where contributions are kept between runs, by digest. What a digest covers is decided in
 * `contributions.ts`.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contribution } from "../contribution/contribution.ts";

/** Entries beyond these, the oldest, go when one is written. A stack has a handful of layers. */
const MOST_ENTRIES = 100;

const PREFIX = "contribution-";

/** The key that marks an integer of 64 bits, which JSON does not have. */
const BIGINT = "$bigint";

/**
 * Contributions by digest, in files. A contribution depends on nothing but the SQL, the roles and the
 * server's version, all of which are in the digest, so an entry is never wrong; it may be missing or damaged,
 * and is then made again.
 */
export class ContributionCache {
  readonly directory: string;

  /** @param directory made when the first entry is written. */
  constructor(directory: string) {
    this.directory = directory;
  }

  async get(digest: string): Promise<Contribution | undefined> {
    try {
      const text = await readFile(this.path(digest), "utf8");
      // Looking at each value takes several times as long as parsing, and hardly any entry has such integers.
      const entry: unknown = text.includes(BIGINT) ? JSON.parse(text, revive) : JSON.parse(text);
      return isContribution(entry) ? entry : undefined;
    } catch {
      return undefined;
    }
  }

  /** A cache that cannot be written (a full disk, a read-only checkout) costs time only. */
  async put(digest: string, contribution: Contribution): Promise<void> {
    const temporary = `${this.path(digest)}.${randomBytes(4).toString("hex")}`;
    try {
      await mkdir(this.directory, { recursive: true });
      await writeFile(temporary, JSON.stringify(contribution, encode));
      await rename(temporary, this.path(digest));
      await this.prune();
    } catch {
      await rm(temporary, { force: true }).catch(() => {});
    }
  }

  private async prune(): Promise<void> {
    const names = (await readdir(this.directory)).filter((name) => name.startsWith(PREFIX));
    if (names.length <= MOST_ENTRIES) return;
    const paths = names.map((name) => join(this.directory, name));
    const ages = await Promise.all(paths.map(async (path) => ({ path, changedMs: (await stat(path)).mtimeMs })));
    ages.sort((a, b) => b.changedMs - a.changedMs);
    await Promise.all(ages.slice(MOST_ENTRIES).map(({ path }) => rm(path, { force: true })));
  }

  private path(digest: string): string {
    return join(this.directory, `${PREFIX}${digest}.json`);
  }
}

/** Entries are ours alone; this tells a whole one from what is left of one. */
function isContribution(entry: unknown): entry is Contribution {
  if (typeof entry !== "object" || entry === null) return false;
  const parts = new Map(Object.entries(entry));
  return (
    ["added", "removed", "changed", "linked", "unlinked"].every((part) => Array.isArray(parts.get(part))) &&
    typeof parts.get("forms") === "object"
  );
}

function encode(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? { [BIGINT]: value.toString() } : value;
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && BIGINT in value && typeof value[BIGINT] === "string") {
    return BigInt(value[BIGINT]);
  }
  return value;
}
