import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import { describeFailure, runMain } from "../../../tools/lib/main.ts";
import { projectRoot } from "../../../tools/lib/paths.ts";

const argv = process.argv;
let printed: string[];
beforeEach(() => {
  printed = [];
  vi.spyOn(console, "log").mockImplementation((text: string) => void printed.push(text));
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  process.argv = argv;
  process.exitCode = 0;
  vi.restoreAllMocks();
});

const given = (...words: string[]): void => {
  process.argv = ["node", "command.ts", ...words];
};

test("each command says its usage to --help and -h, and does nothing else", async () => {
  const command = vi.fn(async () => {});
  for (const words of [["--help"], ["--stack", "dev", "-h"]]) {
    given(...words);
    await runMain("npm run thing", command);
  }
  expect(printed).toEqual(["npm run thing", "npm run thing"]);
  expect(command).not.toHaveBeenCalled();
  expect(process.exitCode ?? 0).toBe(0);

  const folder = join(projectRoot, "tools", "commands");
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), "utf8");
    expect(text, file).toMatch(/^const USAGE =\s+['"](npm|eval) /m);
    expect(text, file).toMatch(/^await runMain\(\s*USAGE,/m);
  }
});

test("a command whose own report is JSON tells a failure before it as JSON as well", async () => {
  const fail = async (): Promise<void> => {
    throw new UserError("PS701", "The stack is not there.");
  };
  given("--json");
  await runMain("npm run thing", fail);
  expect(printed.map((text) => JSON.parse(text))).toEqual([
    { error: { code: "PS701", message: "The stack is not there." } },
  ]);
  expect(process.exitCode).toBe(1);

  given();
  await runMain("npm run thing", fail, 2);
  expect(printed).toHaveLength(1);
  expect(process.exitCode).toBe(2);
});

test("what `--` comes before belongs to another program", async () => {
  const command = vi.fn(async () => {});
  given("--", "--help");
  await runMain("npm run thing", command);
  expect(command).toHaveBeenCalledOnce();
});

test("an error of the database is one of the user, and its DETAIL is not shown anywhere", async () => {
  const error = Object.assign(new pg.DatabaseError("violates foreign key constraint", 1, "error"), {
    ...{ code: "23503", constraint: "uses_fkey", schema: "shop", table: "uses" },
    detail: "Key (id)=(canary) is still referenced",
  });

  const told = await describeFailure(error);

  expect(told).toContain('foreign key "uses_fkey" of table shop.uses is violated');
  expect(told).toContain("PS404");
  expect(told).not.toContain("canary");
  expect(console.error).not.toHaveBeenCalled();
});

test("a defect is told as one, with its stack on stderr", async () => {
  const error = new TypeError("x is not a function");

  expect(await describeFailure(error)).toContain("PS900");
  expect(console.error).toHaveBeenCalledWith(error);
});
