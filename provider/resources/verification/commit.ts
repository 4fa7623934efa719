/** Which commit a project stands at, for the record of what was verified. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Such as `1a2b…`, with `-dirty` where files differ from it; undefined outside of git. */
export async function commitOf(directory: string): Promise<string | undefined> {
  const git = async (...args: string[]): Promise<string> =>
    (await run("git", ["-C", directory, ...args])).stdout.trim();
  try {
    const [commit, changes] = await Promise.all([
      git("rev-parse", "HEAD"),
      git("status", "--porcelain", "--", directory),
    ]);
    return changes === "" ? commit : `${commit}-dirty`;
  } catch {
    return undefined;
  }
}
