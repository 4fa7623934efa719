import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { UserError } from "../../../../provider/core/errors.ts";
import { ensurePassphrase } from "../../../../tools/setup/passphrase.ts";

let root: string;
const file = (): string => join(root, "Pulumi.dev.yaml");
const passphrase = (): string => join(root, ".pgstrata", "passphrase");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "pgstrata passphrase "));
  mkdirSync(join(root, ".pgstrata"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it("keeps a passphrase and its salt, and drops the salt of one that is gone before it makes another", () => {
  const text = "encryptionsalt: v1:abc\nconfig:\n  pgstrata:name: value\n";
  writeFileSync(file(), text);
  writeFileSync(passphrase(), "phrase");
  ensurePassphrase(root);
  expect(readFileSync(file(), "utf8")).toBe(text);
  expect(readFileSync(passphrase(), "utf8")).toBe("phrase");
  rmSync(passphrase());
  ensurePassphrase(root);
  expect(readFileSync(file(), "utf8")).toBe("config:\n  pgstrata:name: value\n");
  expect(readFileSync(passphrase(), "utf8")).toMatch(/^[\w-]{43}\n$/);
});

it("makes no passphrase where the state of a stack cannot be opened any more", () => {
  const stacks = join(root, ".pgstrata", "state", ".pulumi", "stacks", "pgstrata");
  mkdirSync(stacks, { recursive: true });
  writeFileSync(join(stacks, "dev.json"), "{}");
  const text = "encryptionsalt: v1:abc\n";
  writeFileSync(file(), text);
  expect(() => ensurePassphrase(root)).toThrow(/state of this checkout's stacks.*npm run reset/);
  expect(existsSync(passphrase())).toBe(false);
  expect(readFileSync(file(), "utf8")).toBe(text);
});

it("makes no passphrase where secrets cannot be opened any more", () => {
  const text = "encryptionsalt: v1:abc\nconfig:\n  pgstrata:url:\n    secure: v1:xyz\n";
  writeFileSync(file(), text);
  for (const _ of ["first", "second"]) {
    expect(() => ensurePassphrase(root)).toThrow(UserError);
    expect(() => ensurePassphrase(root)).toThrow(/passphrase that opens them/);
  }
  expect(existsSync(passphrase())).toBe(false);
  expect(readFileSync(file(), "utf8")).toBe(text);
});
