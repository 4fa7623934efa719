/**
 * What the files of an update were where they differed from their commit: a patch in `runs/trees/`, which
 * `npm run rollback -- last` applies. The commit itself is in the history that Pulumi keeps.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** So many patches of a stack are kept. */
const KEPT = 50;

/** Where patches lie, below the project. */
export const TREES = join("runs", "trees");

/** A patch's name begins with this, and goes on with the time and the commit. */
export const prefixOf = (stack: string): string => `${stack.replaceAll(/[^\w-]/g, "_")}--`;

/**
 * Keeps the files of the project as a patch on the commit, if they differ from it; files that git ignores are
 * left out. Without git nothing is kept.
 *
 * @returns the patch's path; undefined where there is nothing to keep.
 */
export async function keepTree(stack: string, project = process.cwd(), now = new Date()): Promise<string | undefined> {
  const temporary = await mkdtemp(join(tmpdir(), "pgstrata-tree-"));
  const ownIndex = join(temporary, "index");
  const git = async (args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Buffer> => {
    const env = { ...environmentForGit(), GIT_OPTIONAL_LOCKS: "0", ...variables };
    return (await run("git", args, { cwd: project, env, maxBuffer: LARGEST, encoding: "buffer" })).stdout;
  };
  try {
    const where = await git(["rev-parse", "--absolute-git-dir", "HEAD"]).catch(() => undefined);
    const [directory = "", head = ""] = where?.toString().trim().split("\n") ?? [];
    if (head === "" || (await git(["status", "--porcelain"])).length === 0) return undefined;
    // The index knows which files are as they were; the user's own stays as it is.
    await copyFile(join(directory, "index"), ownIndex);
    await git(["add", "--all", "."], { GIT_INDEX_FILE: ownIndex });
    const patch = await git(["diff", "--cached", "--binary", "--no-ext-diff", "HEAD"], { GIT_INDEX_FILE: ownIndex });
    return await writePatch(join(project, TREES), prefixOf(stack), `${timeInName(now)}--${head}.patch`, patch);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Git runs filters of the user's; the settings of the stack, secrets in the clear, are none of theirs. */
function environmentForGit(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_")));
}

/** Of a patch, in bytes. */
const LARGEST = 256 * 1024 * 1024;

const timeInName = (time: Date): string => time.toISOString().replaceAll(":", "");

/** When the patch of this name was made, and on which commit; undefined for another file. */
export function readPatchName(name: string, stack: string): { time: Date; head: string } | undefined {
  if (!name.startsWith(prefixOf(stack))) return undefined;
  const [, date, hour, minute, second, head] =
    /^(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)([\d.]+Z)--([0-9a-f]{40,64})\.patch$/.exec(name.slice(prefixOf(stack).length)) ??
    [];
  return head === undefined ? undefined : { time: new Date(`${date}T${hour}:${minute}:${second}`), head };
}

/** The file is there when it is whole. */
async function writePatch(folder: string, prefix: string, rest: string, patch: Buffer): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, prefix + rest);
  await writeFile(`${path}.partial`, patch, { mode: 0o600 });
  await rename(`${path}.partial`, path);
  const all = (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort();
  for (const name of all.slice(0, -KEPT)) await rm(join(folder, name), { force: true });
  return path;
}
