/** Which rehearsals have passed, in files: what a preview rehearsed, the update need not rehearse again. */
import { mkdir, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Entries beyond these, the oldest, go when one is added. */
const MOST_ENTRIES = 200;

const PREFIX = "rehearsed-";

export class PassedRehearsals {
  private readonly directory: string;
  private readonly known = new Set<string>();

  /** @param directory made when the first entry is written. */
  constructor(directory: string) {
    this.directory = directory;
  }

  /** @param digest of the plan, and of all that its outcome depends on. */
  async has(digest: string): Promise<boolean> {
    if (this.known.has(digest)) return true;
    const now = new Date();
    return utimes(this.path(digest), now, now).then(
      () => true,
      () => false,
    );
  }

  /** A directory that cannot be written costs time only. */
  async add(digest: string): Promise<void> {
    this.known.add(digest);
    try {
      await mkdir(this.directory, { recursive: true });
      await writeFile(this.path(digest), "");
      await this.prune();
    } catch {
      // Rehearsed again by the next run.
    }
  }

  private async prune(): Promise<void> {
    const names = (await readdir(this.directory)).filter((name) => name.startsWith(PREFIX));
    if (names.length <= MOST_ENTRIES) return;
    const paths = names.map((name) => join(this.directory, name));
    const ages = await Promise.all(paths.map(async (path) => ({ path, usedMs: (await stat(path)).mtimeMs })));
    ages.sort((one, other) => other.usedMs - one.usedMs);
    await Promise.all(ages.slice(MOST_ENTRIES).map(({ path }) => rm(path, { force: true })));
  }

  private path(digest: string): string {
    return join(this.directory, `${PREFIX}${digest}`);
  }
}
