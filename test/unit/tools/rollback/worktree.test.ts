// On a git repository of its own.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { commitOf } from "../../../../provider/resources/verification/commit.ts";
import { inWorktree } from "../../../../tools/rollback/worktree.ts";

const folder = mkdtempSync(join(tmpdir(), "pgstrata worktree-"));
const left: string[] = [];
afterAll(() => Promise.all([folder, ...left].map((path) => rm(path, { recursive: true, force: true }))));

const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
    cwd: folder,
    encoding: "utf8",
  });

/** As a run that this process makes has it. */
function worktreeOf(pid: number): string {
  const home = mkdtempSync(join(tmpdir(), `pgstrata-rollback-${pid}-`));
  left.push(home);
  git("worktree", "add", "--detach", "--quiet", join(home, "tree"), "HEAD");
  return home;
}

it("removes the worktree that a killed run has left, and not one of a run that goes on", async () => {
  git("init", "--quiet");
  mkdirSync(join(folder, "sql"));
  writeFileSync(join(folder, "sql", "a.sql"), "select 1;");
  git("add", "-A");
  git("commit", "--quiet", "--message", "first");
  // Process numbers end far below.
  const killed = worktreeOf(2 ** 30);
  const living = worktreeOf(process.pid);
  const place = { folder, stack: "prod", env: process.env, stdout: process.stdout };
  const commit = git("rev-parse", "HEAD").trim();

  const own = await inWorktree(place, { commit, patch: undefined }, expect.unreachable, async (project) => {
    expect(existsSync(join(project, "sql", "a.sql"))).toBe(true);
    return project;
  });

  expect([own, killed, living].map((path) => existsSync(path))).toEqual([false, false, true]);
  expect(git("worktree", "list").trim().split("\n")).toHaveLength(2);
});

it.each(["SIGINT", "SIGTERM"] as const)("removes its worktree where %s ends the command", async (signal) => {
  const before = git("worktree", "list");
  const head = git("rev-parse", "HEAD").trim();
  const script = join(import.meta.dirname, "interruptedWorktree.ts");
  const child = spawn(process.execPath, [script, folder, head], { stdio: ["ignore", "pipe", "inherit"] });
  const [project] = await once(child.stdout, "data");
  child.kill(signal);
  const [exitCode] = await once(child, "close");

  expect(exitCode).toBe(signal === "SIGINT" ? 130 : 143);
  expect(existsSync(dirname(String(project).trim()))).toBe(false);
  expect(git("worktree", "list")).toBe(before);
});

it("gives the earlier files the settings of now that their program knows, and their commit is clean", async () => {
  writeFileSync(join(folder, ".gitignore"), "node_modules/\n.pgstrata/");
  writeFileSync(join(folder, "program.ts"), 'config.get("backupFolder");');
  writeFileSync(join(folder, "Pulumi.prod.yaml"), "config:\n  p:a: then\n");
  git("add", "-A");
  git("commit", "--quiet", "--message", "second");
  const commit = git("rev-parse", "HEAD").trim();
  writeFileSync(join(folder, "Pulumi.prod.yaml"), "config:\n  p:a: now\n  p:backupFolder: kept\n  p:later: x\n");
  for (const name of ["node_modules", ".pgstrata"]) mkdirSync(join(folder, name));
  const place = { folder, stack: "team/prod", env: process.env, stdout: process.stdout };

  const found = await inWorktree(place, { commit, patch: undefined }, expect.unreachable, async (project) => ({
    commit: await commitOf(project),
    linked: existsSync(join(project, ".pgstrata")),
    settings: readFileSync(join(project, "Pulumi.prod.yaml"), "utf8"),
  }));

  const settings = `config:\n  p:a: now\n  p:backupFolder: "${join(folder, "kept")}"\n`;
  expect(found).toEqual({ commit, linked: true, settings });
});
