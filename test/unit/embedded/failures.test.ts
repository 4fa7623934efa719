import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import { requireLinks } from "../../../provider/embedded/binaries.ts";
import { explainFileError, explainOutput } from "../../../provider/embedded/failures.ts";

const base = mkdtempSync(join(tmpdir(), "pgstrata-failures-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));

describe("what kept Postgres from starting", () => {
  it.each([
    [
      'FATAL:  could not write lock file "postmaster.pid": No space left on device',
      "PS703",
      /disk that holds \/home is full/,
    ],
    ['LOG:  could not bind IPv4 address "127.0.0.1": Address already in use', "PS702", /Port 5 on 127.0.0.1 is in use/],
    ['FATAL:  lock file "postmaster.pid" already exists', "PS705", /Another Postgres already uses/],
    ["initdb: error while loading shared libraries: libicuuc.so.60: cannot open", "PS704", /libicuuc.so.60 is missing/],
    ['FATAL:  could not open shared memory segment "/PostgreSQL.1"', "PS704", /shm-size/],
    ["PANIC:  something else", "PS704", /PANIC: {2}something else/],
  ])("%s", (output, code, message) => {
    const failure = explainOutput(output, { home: "/home", port: 5 });
    expect(failure).toBeInstanceOf(UserError);
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
  });

  it("explains a full disk and files of another user, and passes on the rest", () => {
    expect(explainFileError(Object.assign(new Error("write"), { code: "ENOSPC" }), "/home")).toBeInstanceOf(UserError);
    expect(explainFileError(Object.assign(new Error("open"), { code: "EACCES" }), "/home")).toMatchObject({
      message: expect.stringContaining("another user probably ran this here before"),
    });
    const bug = new TypeError("ours");
    expect(explainFileError(bug, "/home")).toBe(bug);
  });
});

describe("the library links of an npm package", () => {
  const native = join(base, "native");
  mkdirSync(join(native, "lib"), { recursive: true });
  writeFileSync(
    join(native, "pg-symlinks.json"),
    JSON.stringify([{ source: "native/lib/a.1", target: "native/lib/a" }]),
  );
  writeFileSync(join(native, "lib", "a.1"), "");

  it("are asked for when npm did not run the install script", () => {
    expect(() => requireLinks(base, "some-package")).toThrow(/npm rebuild some-package/);
  });

  it("are found when it did", () => {
    symlinkSync("a.1", join(native, "lib", "a"));
    expect(() => requireLinks(base, "some-package")).not.toThrow();
  });
});
