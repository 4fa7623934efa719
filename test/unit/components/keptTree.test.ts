import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepTree, readPatchName } from "../../../components/program/keptTree.ts";

let repository: string;
beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), "pgstrata-kept-"));
});
afterEach(() => rmSync(repository, { recursive: true, force: true }));

const git = (...args: string[]): string =>
  execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@localhost", ...args], {
    cwd: repository,
    encoding: "utf8",
  });

const write = (path: string, text: string): void => writeFileSync(join(repository, path), text);

function commit(): string {
  git("init", "--quiet");
  write(".gitignore", "ignored\nruns\n");
  write("a.sql", "one\n");
  git("add", "--all");
  git("commit", "--quiet", "-m", "a");
  return git("rev-parse", "HEAD").trim();
}

describe("the files of an update", () => {
  it("are kept where they differ from their commit, new ones too, and the user's index stays", async () => {
    const head = commit();
    write("a.sql", "two\n");
    write("new.sql", "new\n");
    write("ignored", "not this\n");
    const status = git("status", "--porcelain");

    const path = (await keepTree("prod", repository, new Date("2026-01-02T03:04:05.678Z"))) ?? "";

    expect(basename(path)).toBe(`prod--2026-01-02T030405.678Z--${head}.patch`);
    expect(readPatchName(basename(path), "prod")).toEqual({ time: new Date("2026-01-02T03:04:05.678Z"), head });
    expect(readPatchName(basename(path), "dev")).toBeUndefined();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(git("status", "--porcelain")).toBe(status);
    const patch = readFileSync(path, "utf8");
    expect(patch).not.toContain("not this");
    git("stash", "--include-untracked", "--quiet");
    git("apply", path);
    expect([
      readFileSync(join(repository, "a.sql"), "utf8"),
      readFileSync(join(repository, "new.sql"), "utf8"),
    ]).toEqual(["two\n", "new\n"]);
  });

  it("are not kept where they are as committed, or where there is no git", async () => {
    expect(await keepTree("prod", repository)).toBeUndefined();
    commit();
    expect(await keepTree("prod", repository)).toBeUndefined();
  });

  it("are kept for the last 50 updates of a stack that differed", async () => {
    commit();
    write("a.sql", "two\n");
    const folder = join(repository, "runs", "trees");
    mkdirSync(folder, { recursive: true });
    for (let n = 100; n < 150; n++) writeFileSync(join(folder, `prod--${n}.patch`), "");
    writeFileSync(join(folder, "dev--1.patch"), "");

    await keepTree("prod", repository);

    const names = execFileSync("ls", [folder], { encoding: "utf8" }).trim().split("\n");
    expect(names.filter((name) => name.startsWith("prod--"))).toHaveLength(50);
    expect(names).toContain("dev--1.patch");
    expect(names).not.toContain("prod--100.patch");
  });

  it("are read by a git, and filters of the user's, that know no settings of the stack", async () => {
    commit();
    write(".gitattributes", "*.sql filter=tell\n");
    git("config", "filter.tell.clean", `env > '${join(repository, "ignored")}'; cat`);
    write("a.sql", "two\n");
    vi.stubEnv("PULUMI_CONFIG", '{"pgstrata:databaseUrl":"canary"}');
    vi.stubEnv("PULUMI_CONFIG_PASSPHRASE", "canary");
    try {
      await keepTree("prod", repository);
    } finally {
      vi.unstubAllEnvs();
    }

    const told = readFileSync(join(repository, "ignored"), "utf8");
    expect(told).toContain("PATH=");
    expect(told).not.toContain("canary");
  });
});
