import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { filterSalt, settleStackFile } from "../../../tools/lib/stackFile.ts";

let root: string;
const file = (): string => join(root, "Pulumi.dev.yaml");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pgstrata stack file "));
  // As git has it: the one of a checkout that was started holds a salt.
  const text = readFileSync(join(projectRoot, "Pulumi.dev.yaml"), "utf8");
  writeFileSync(file(), text.replace(/^encryptionsalt: .*\n?/m, ""));
  copyFileSync(join(projectRoot, ".gitattributes"), join(root, ".gitattributes"));
  mkdirSync(join(root, ".pgstrata"));
  writeFileSync(join(root, ".gitignore"), ".pgstrata/\n");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const git = async (...args: string[]): Promise<string> =>
  (await execa("git", ["-C", root, "-c", "user.name=test", "-c", "user.email=test@example.com", ...args])).stdout;

it("keeps the salt out of what git sees, and nothing else", async () => {
  await git("init", "--quiet");
  await filterSalt(root);
  await git("add", ".");
  await git("commit", "--quiet", "--message", "first");
  writeFileSync(join(root, ".pgstrata", "passphrase"), "phrase");
  writeFileSync(file(), `${readFileSync(file(), "utf8")}encryptionsalt: v1:abc:v1:def:ghi=\n`);
  await settleStackFile(root);
  expect(await git("status", "--porcelain")).toBe("");
  writeFileSync(file(), `${readFileSync(file(), "utf8")}# a change\n`);
  await settleStackFile(root);
  expect(await git("status", "--porcelain")).toBe(" M Pulumi.dev.yaml");
});

it("does its part where there is no git checkout", async () => {
  const text = readFileSync(file(), "utf8");
  await filterSalt(root);
  expect(readFileSync(file(), "utf8")).toBe(text);
});
