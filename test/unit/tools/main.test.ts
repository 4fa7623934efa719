import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import { runMain } from "../../../tools/lib/main.ts";
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
