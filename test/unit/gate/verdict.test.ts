import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { differences, filesHash, joined, type PlanDigest, settingsHash } from "../../../provider/gate/digest.ts";
import { fullReport, shortReport } from "../../../provider/gate/report.ts";
import { type CheckResult, decide, type Override, type Status } from "../../../provider/gate/results.ts";
import { isWithin, parseWindow } from "../../../provider/gate/window.ts";

const at = (time: string): Date => new Date(`2026-11-28T${time}:00Z`);

function within(text: string, time: string): boolean {
  const window = parseWindow(text);
  if (window === undefined) throw new Error(`${text} is no window`);
  return isWithin(window, at(time));
}

describe("a maintenance window", () => {
  test("holds its first minute and not its last one", () => {
    expect(["01:59", "02:00", "03:59", "04:00"].map((time) => within("02:00-04:00", time))).toEqual([
      ...[false, true, true, false],
    ]);
  });

  test("goes over midnight where it ends before it begins", () => {
    expect(["23:29", "23:30", "00:00", "00:59", "01:00"].map((time) => within("23:30-01:00", time))).toEqual([
      ...[false, true, true, true, false],
    ]);
    expect(["23:59", "00:00"].map((time) => within("22:00-24:00", time))).toEqual([true, false]);
  });

  test("is UTC, whatever the zone of a time", () => {
    expect(isWithin({ from: 120, to: 240 }, new Date("2026-11-28T02:30:00+02:00"))).toBe(false);
  });

  test.each(["", "2:00-4:00", "02:00", "24:00-01:00", "02:60-03:00", "02:00-02:00", "02:00-24:30", " 02:00-04:00"])(
    "is none: %j",
    (text) => expect(parseWindow(text)).toBeUndefined(),
  );
});

const NOW = at("12:00");
const PLAN = "1111111111-2222222222-3333333333-4444444444";
const result = (status: Status): CheckResult => ({
  ...{ name: "disk", kind: "run" as const, status, measured: "1 MB", expected: "2 MB", mend: "Free space." },
});
const word = (changed: Partial<Override> = {}): Override => ({
  ...{ who: "Ann", why: "seen by hand", until: "2026-11-28T13:00:00Z", plan: PLAN },
  ...changed,
});
const decided = (status: Status, options: { trial?: string[]; override?: Override; plan?: string } = {}) => {
  const { trial = [], override, plan = PLAN } = options;
  const [found] = decide([result(status)], { trial, overrides: override ? { disk: override } : {} }, plan, NOW);
  return found;
};

describe("a verdict", () => {
  test("stops for NO-GO and for what could not be measured, and for nothing else", () => {
    const all: Status[] = ["PASS", "WARNING", "NO-GO", "INCONCLUSIVE"];
    expect(all.map((status) => decided(status)?.isStopping)).toEqual([false, false, true, true]);
  });

  test("stops nothing in a trial, and says so", () => {
    for (const status of ["NO-GO", "INCONCLUSIVE"] as const)
      expect(decided(status, { trial: ["disk"] })).toMatchObject({ isStopping: false, note: "a trial: stops nothing" });
    expect(decided("PASS", { trial: ["disk"] })?.note).toBe("");
    expect(decided("NO-GO", { trial: ["window"] })?.isStopping).toBe(true);
  });

  test("is overridden by a person's word for a check that could not be measured, with who, until and why", () => {
    expect(decided("INCONCLUSIVE", { override: word() })).toMatchObject({
      isStopping: false,
      note: "overridden by Ann until 2026-11-28T13:00:00Z: seen by hand",
    });
  });

  test.each([
    ["has expired", "INCONCLUSIVE", word({ until: "2026-11-28T12:00:00Z" }), /it has expired/],
    [
      "is for another plan",
      "INCONCLUSIVE",
      word({ plan: "other" }),
      /it is for plan other, and this one is 1111111111-/,
    ],
    ["is for a check that was measured", "NO-GO", word(), /only what could not be measured/],
  ] as const)("stays where an override %s, which is said", (_, status, override, note) => {
    const found = decided(status, { override });
    expect(found?.isStopping).toBe(true);
    expect(found?.note).toMatch(note);
    expect(found?.note).toMatch(/^the override by Ann does nothing/);
  });

  test("stays with an override while the plan is not known", () => {
    const overrides = { disk: word() };
    expect(decide([result("INCONCLUSIVE")], { trial: [], overrides }, undefined, NOW)[0]?.isStopping).toBe(true);
  });
});

describe("a report", () => {
  const results = [
    ...decide([result("NO-GO")], { trial: [], overrides: {} }, PLAN, NOW),
    ...decide([{ ...result("PASS"), name: "window" }], { trial: [], overrides: {} }, PLAN, NOW),
  ];
  const report = { verdict: "NO-GO" as const, plan: PLAN, results, unknown: ["wndow"] };

  test("tells in short what does not pass, with the line that mends it", () => {
    expect(shortReport("NO-GO", report)).toBe(
      [
        "NO-GO",
        `  plan ${PLAN}`,
        "  NO-GO         disk: 1 MB; expected 2 MB → Free space.",
        "  no check is called wndow",
        "  1 of 2 checks pass",
      ].join("\n"),
    );
  });

  test("shows control characters of names that others have given", () => {
    const measured = "replica \u001b[2Jx\nGO";
    const found = decide([{ ...result("NO-GO"), measured }], { trial: [], overrides: {} }, PLAN, NOW);
    expect(shortReport("NO-GO", { ...report, results: found })).toContain("disk: replica \\u001b[2Jx\\nGO; expected");
  });

  test("tells as a whole what passes as well", () => {
    expect(fullReport(report)).toContain("PASS          window: 1 MB; expected 2 MB");
  });
});

const directory = mkdtempSync(join(tmpdir(), "pgstrata-gate-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe("the digest of a plan", () => {
  const digest: PlanDigest = {
    ...{ desired: "1111111111", settings: "2222222222", target: "3333333333", version: "4444444444" },
  };

  test("joins its parts, and says in words which of them differ", () => {
    expect(joined(digest)).toBe(PLAN);
    expect(differences(PLAN, digest)).toEqual([]);
    expect(differences(PLAN, { ...digest, target: "0000000000" })).toEqual(["the catalog of the target"]);
    expect(differences(PLAN, { ...digest, desired: "0", settings: "0", version: "0" })).toEqual([
      "the files of the program",
      "the settings of the stack",
      "the version of pgstrata",
    ]);
    expect(differences("2026-11-28", digest)).toBeUndefined();
  });

  test("has settings alike whatever the order of their names, and other ones otherwise", () => {
    const one = settingsHash({ a: 1, b: { c: [true, null], d: "x" } });
    expect(settingsHash({ b: { d: "x", c: [true, null] }, a: 1 })).toBe(one);
    expect(settingsHash({ a: 1, b: { c: [null, true], d: "x" } })).not.toBe(one);
  });

  test("has files by name and content, and ends of lines alike", async () => {
    const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
    write("a.sql", "select 1;\nselect 2;\n");
    write("b.sql", "select 3;\n");
    const hash = (): Promise<string> => filesHash(["."], directory);
    const one = await hash();
    write("a.sql", "select 1;\r\nselect 2;\r\n");
    expect(await hash()).toBe(one);
    write("a.sql", "select 1;\nselect 4;\n");
    expect(await hash()).not.toBe(one);
    write("a.sql", "select 1;\nselect 2;\n");
    write("c.sql", "");
    expect(await hash()).not.toBe(one);
    await expect(filesHash(["nope"], directory)).rejects.toThrow("found nothing at nope");
  });
});
