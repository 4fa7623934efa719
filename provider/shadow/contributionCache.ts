import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Contribution } from "../engine/algebra.ts";

/**
 * Contributions by digest, in files. A contribution depends on nothing but the SQL, the roles and the server's version, all of
 * which are in the digest, so an entry is never wrong; it may be missing or damaged, and is then made anew.
 */
export class ContributionCache {
  readonly directory: string;

  /** @param directory made when the first entry is written. */
  constructor(directory: string) {
    this.directory = directory;
  }

  async get(digest: string): Promise<Contribution | undefined> {
    try {
      return JSON.parse(await readFile(this.path(digest), "utf8"), revive);
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
    } catch {}
  }

  private path(digest: string): string {
    return join(this.directory, `contribution-${digest}.json`);
  }
}

/** JSON has no 64-bit integers. */
function encode(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? { $bigint: value.toString() } : value;
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && "$bigint" in value && typeof value.$bigint === "string") {
    return BigInt(value.$bigint);
  }
  return value;
}
