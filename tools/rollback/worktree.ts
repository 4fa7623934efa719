/**
 * The files of an earlier update, in a git worktree of their own that can run the stack. Which update that is
 * is left to `history.ts`.
 */
import { existsSync, lstatSync, rmSync } from "node:fs";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { execa, execaSync } from "execa";
import { readPatchName, TREES } from "../../components/program/keptTree.ts";
import { UserError } from "../../provider/core/errors.ts";
import { isAlive } from "../../provider/embedded/processes.ts";
import { INTERRUPTS, isLeftToCli } from "../lib/pulumi.ts";
import { commitOf, isDirty, type Update } from "./history.ts";
import { anchored, settingKeys, settingsThen } from "./stackSettings.ts";
import type { Place, Say } from "./target.ts";

/** The files of an update, as they can be found here. */
export interface Tree {
  commit: string;
  /** What differed from it; undefined for nothing. */
  patch: string | undefined;
}

/** What of the project git ignores and a run needs. */
const LINKED = ["node_modules", ".pgstrata"];

/** How the folder that a worktree is in is named; the process that made it follows. */
const HOME = "pgstrata-rollback-";

/** A second later than an update has noted; it notes whole seconds. */
const SECOND_MS = 1000;

/** @throws {UserError} when they are not here. */
export async function findTree({ folder, stack }: Place, update: Update): Promise<Tree> {
  const commit = commitOf(update);
  const when = `The update of ${update.startTime}`;
  if (commit === undefined) {
    throw new UserError(
      "PS837",
      `${when} names no commit, because it was not made in a git repository. Check its files out yourself and run \`pulumi up\`, or restore a backup.`,
    );
  }
  if ((await git(folder, ["rev-parse", "--git-dir"])).failed) {
    throw new UserError(
      "PS837",
      `${folder} is in no git repository, and the files of commit ${short(commit)} are needed. Run this in the checkout that made the update.`,
    );
  }
  if ((await git(folder, ["cat-file", "-e", `${commit}^{commit}`])).failed) {
    throw new UserError(
      "PS837",
      `${when} was made from commit ${short(commit)}, which is not in this repository. Fetch it (\`git fetch --all\`), or run this in the checkout that made the update.`,
    );
  }
  if (!isDirty(update)) return { commit, patch: undefined };
  const patch = await findPatch(join(folder, TREES), stack, update, commit);
  if (patch === undefined) {
    throw new UserError(
      "PS837",
      `${when} was made from files that differed from commit ${short(commit)}. They are kept where it was made, as a patch in ${TREES}, and ${join(folder, TREES)} has none of that time. ` +
        "Copy it here, or run this in that checkout.",
    );
  }
  // Files that were as in the commit when they were kept.
  return { commit, patch: (await stat(patch)).size === 0 ? undefined : patch };
}

export const short = (commit: string): string => commit.slice(0, 12);

async function findPatch(folder: string, stack: string, update: Update, commit: string): Promise<string | undefined> {
  const from = Date.parse(update.startTime);
  const to = (Date.parse(update.endTime) || from) + SECOND_MS;
  const found = (await readdir(folder).catch(() => [])).toSorted().find((name) => {
    const made = readPatchName(name, stack);
    return made?.head === commit && made.time.getTime() >= from && made.time.getTime() <= to;
  });
  return found === undefined ? undefined : join(folder, found);
}

/**
 * Makes a worktree of the files, works in its project folder, and removes it, however that ends.
 *
 * @param work with the folder of the project in it.
 */
export async function inWorktree<T>(
  place: Place,
  { commit, patch }: Tree,
  say: Say,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const { folder } = place;
  await removeLeft(folder);
  const home = await mkdtemp(join(tmpdir(), `${HOME}${process.pid}-`));
  const worktree = join(home, "tree");
  const onInterrupt = (signal: NodeJS.Signals): void => {
    if (isLeftToCli()) return;
    execaSync("git", ["worktree", "remove", "--force", worktree], { cwd: folder, reject: false });
    rmSync(home, { recursive: true, force: true });
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of INTERRUPTS) process.on(signal, onInterrupt);
  try {
    await must(folder, ["worktree", "add", "--detach", "--quiet", worktree, commit]);
    if (patch !== undefined) await must(worktree, ["apply", "--whitespace=nowarn", patch]);
    const prefix = (await must(folder, ["rev-parse", "--show-prefix"])).trim();
    const project = join(worktree, prefix);
    await equip(place, project, say);
    await hide(project, [...LINKED, stackFile(place)]);
    return await work(project);
  } finally {
    for (const signal of INTERRUPTS) process.off(signal, onInterrupt);
    await git(folder, ["worktree", "remove", "--force", worktree]);
    await rm(home, { recursive: true, force: true });
  }
}

/** Removes the worktrees of killed runs, also those whose folders are gone. */
async function removeLeft(folder: string): Promise<void> {
  await git(folder, ["worktree", "prune"]);
  const { stdout } = await git(folder, ["worktree", "list", "--porcelain", "-z"]);
  for (const [, worktree = ""] of stdout.matchAll(/(?:^|\0)worktree ([^\0]+)/g)) {
    const home = dirname(worktree);
    const pid = new RegExp(`^${HOME}(\\d+)-`).exec(basename(home))?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await git(folder, ["worktree", "remove", "--force", worktree]);
    await rm(home, { recursive: true, force: true });
  }
}

/** The name of the file with the settings of the stack. */
export const stackFile = ({ stack }: Place): string => `Pulumi.${stack.split("/").at(-1)}.yaml`;

/** What an update needs beside its files: packages, the set-up, the settings of the stack. */
async function equip(place: Place, project: string, say: Say): Promise<void> {
  const { folder, env } = place;
  const lock = (directory: string): Promise<string> =>
    readFile(join(directory, "package-lock.json"), "utf8").catch(() => "");
  const hasOwnPackages = (await lock(folder)) !== (await lock(project));
  for (const name of LINKED) {
    if (name === "node_modules" && hasOwnPackages) continue;
    const [from, to] = [join(folder, name), join(project, name)];
    if (!existsSync(from)) continue;
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) await rm(to, { recursive: true, force: true });
    await symlink(from, to);
  }
  if (hasOwnPackages) {
    say("Its packages are others: npm ci …");
    const { failed, all } = await execa("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"], {
      cwd: project,
      env,
      extendEnv: false,
      reject: false,
      all: true,
    });
    if (failed) throw new UserError("PS707", `\`npm ci\` failed for the earlier files: ${all}`);
  }
  const file = stackFile(place);
  const present = await readFile(join(folder, file), "utf8").catch(() => undefined);
  if (present === undefined) return;
  const then = await readFile(join(project, file), "utf8").catch(() => undefined);
  const known = new Set<string>();
  for (const key of settingKeys(present)) if (await isNamed(project, key)) known.add(key);
  const settings = anchored(
    settingsThen(then, present, (key) => known.has(key)),
    folder,
  );
  await writeFile(join(project, file), settings, { mode: 0o600 });
}

/** Whether a program names a setting; one that it does not name it may refuse. */
const isNamed = async (project: string, key: string): Promise<boolean> =>
  (
    await git(project, [
      "grep",
      "--quiet",
      "--word-regexp",
      "--fixed-strings",
      "-e",
      key.split(":").at(-1) ?? "",
      "--",
      "*.ts",
    ])
  ).exitCode === 0;

/** What a run needs beside its files is no change of them: what was verified is the commit. */
async function hide(project: string, names: readonly string[]): Promise<void> {
  const ignored = [".gitignore", ...names];
  await appendFile(join(project, ".gitignore"), `\n${ignored.map((name) => `/${name}\n`).join("")}`);
  const tracked = (await must(project, ["ls-files", "-z", "--", ...ignored])).split("\0").filter((name) => name !== "");
  if (tracked.length > 0) await must(project, ["update-index", "--skip-worktree", "--", ...tracked]);
}

const git = (cwd: string, args: readonly string[]) =>
  execa("git", args, { cwd, reject: false, stdin: "ignore", stripFinalNewline: true });

async function must(cwd: string, args: readonly string[]): Promise<string> {
  const { failed, stdout, stderr } = await git(cwd, args);
  if (failed) throw new UserError("PS707", `\`git ${args[0]} ${args[1] ?? ""}\` failed: ${stderr}`);
  return stdout;
}
