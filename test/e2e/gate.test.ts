import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diagnosticsIn } from "../support/cliOutput.ts";
import { createPlatformStack, NOTHING, type PlatformStack, WHOLE } from "../support/platformStack.ts";

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack();
});
afterAll(() => platform?.close());

const GATE = ["--target", "**pgstrata:index:Gate::preflight"];
const LAYER = ["--target", "**pgstrata:index:Layer::platform"];

/** A window that is closed for some hours. */
function closedWindow(): string {
  const hour = (new Date().getUTCHours() + 3) % 24;
  const [from, to] = [hour, (hour + 1) % 24].map((each) => String(each).padStart(2, "0"));
  return `${from}:00-${to}:00`;
}

/** `npm run gate -- --json` in the project of the stack. */
async function askGate(): Promise<{ exitCode?: number; stdout: string }> {
  const { directory, env } = platform.stack;
  return execa(process.execPath, ["tools/commands/gate.ts", "--stack", "test", "--json"], {
    ...{ cwd: directory, env, extendEnv: false, reject: false },
  });
}

/** Whether the change of the files has come to the database. */
const changed = async (): Promise<unknown[]> =>
  platform.database.query("select from pg_class where relname = 'visits' and relkind = 'S'");

describe("a new stack with an open incident", () => {
  it("has a preview that tells of it and of the plan, and ends well", async () => {
    await platform.stack.setConfig({ "pgstrata:incident": "INC-7" });

    const preview = await platform.stack.succeed("preview");

    expect(diagnosticsIn(preview)).toMatch(
      /would be NO-GO now: an update stops before its first change\n +plan [0-9a-f-]{43}\n/,
    );
    expect(diagnosticsIn(preview)).toContain("open: INC-7; expected no open incident");
  });

  it("has an update that is refused with nothing changed, roles included", async () => {
    const up = await platform.stack.run("up", "--yes", "--skip-preview");

    expect(up.exitCode).not.toBe(0);
    expect(diagnosticsIn(up)).toContain("NO-GO. Nothing was changed.");
    expect(diagnosticsIn(up)).toContain("PS802");
    expect(await platform.standing()).toEqual(NOTHING);
  });

  it("is told NO-GO without an update, and GO once the incident is over", async () => {
    const noGo = await askGate();
    expect(noGo.exitCode).toBe(1);
    expect(JSON.parse(noGo.stdout)).toMatchObject({ verdict: "NO-GO", plan: expect.stringMatching(/^[0-9a-f-]{43}$/) });

    await platform.stack.succeed("config", "rm", "incident");
    const go = await askGate();
    expect(go.exitCode).toBe(0);
    expect(JSON.parse(go.stdout)).toMatchObject({ verdict: "GO" });
    expect(await platform.standing()).toEqual(NOTHING);
  });
});

describe("a stack with a maintenance window", () => {
  it("is updated without a setting, after which nothing is to be done", async () => {
    await platform.stack.succeed("up", "--yes", "--skip-preview");
    await platform.stack.succeed("preview", "--expect-no-changes");
    expect(await platform.standing()).toEqual(WHOLE);
  });

  it("is previewed outside of it, and not updated", async () => {
    await platform.stack.setConfig({ "pgstrata:window": closedWindow() });
    const file = join(platform.stack.directory, "sql/platform/20-reference.sql");
    await writeFile(file, `${await readFile(file, "utf8")}\ncreate sequence platform.visits;\n`);

    expect(diagnosticsIn(await platform.stack.succeed("preview"))).toContain("would be NO-GO now");
    const up = await platform.stack.run("up", "--yes", "--skip-preview");

    expect(up.exitCode).not.toBe(0);
    expect(diagnosticsIn(up)).toMatch(/NO-GO +window: /);
    expect(await changed()).toEqual([]);
  });

  it("is not updated by naming a resource either, with the gate or without it", async () => {
    const without = await platform.stack.run("up", "--yes", "--skip-preview", ...LAYER);
    expect(without.exitCode).not.toBe(0);
    expect(diagnosticsIn(without)).toContain("This run has no gate");

    const withGate = await platform.stack.run("up", "--yes", "--skip-preview", ...LAYER, ...GATE);
    expect(withGate.exitCode).not.toBe(0);
    expect(diagnosticsIn(withGate)).toMatch(/NO-GO +window: /);
    expect(await changed()).toEqual([]);
  });

  it("is updated with a reason, which stays in the state", async () => {
    await platform.stack.setConfig({ "pgstrata:windowOverride": "agreed with Ann" });

    await platform.stack.succeed("up", "--yes", "--skip-preview", ...LAYER, ...GATE);

    expect(await changed()).toHaveLength(1);
    const { deployment } = await platform.stack.exportState();
    const gate = deployment.resources?.find(({ type }) => type === "pgstrata:index:Gate");
    expect(gate?.inputs).toMatchObject({ windowOverride: "agreed with Ann" });
    await platform.stack.succeed("config", "rm", "windowOverride");
  });

  it("holds an update that only takes something away", async () => {
    const index = join(platform.stack.directory, "programs/platform.ts");
    const program = await readFile(index, "utf8");
    await writeFile(index, program.replace(/^const plans = .*$/m, "").replaceAll(" plans,", ""));

    const up = await platform.stack.run("up", "--yes", "--skip-preview");

    expect(up.exitCode).not.toBe(0);
    expect(diagnosticsIn(up)).toMatch(/NO-GO +window: /);
    expect(await platform.database.query("select from platform.billing_plans")).not.toEqual([]);
    await writeFile(index, program);
  });

  it("holds an update of a program that has become empty, which takes everything away", async () => {
    const index = join(platform.stack.directory, "index.ts");
    const program = await readFile(index, "utf8");
    await writeFile(index, "export {};\n");

    const up = await platform.stack.run("up", "--yes", "--skip-preview");

    expect(up.exitCode).not.toBe(0);
    expect(diagnosticsIn(up)).toContain("If the program is empty on purpose, run `pulumi destroy`.");
    expect(await platform.standing()).toEqual(WHOLE);
    await writeFile(index, program);
  });

  it.each([
    ["--run-program", "--target", "**pgstrata:index:Layer::rls", "--target-dependents"],
    ["--target", "**pgstrata:index:Layer::databases", "--target-dependents"],
    // With a layer that is gone already.
    ["--run-program", "--target", "**BillingPlans::plans", "--target-dependents"],
    [],
  ])("does not hold a destroy: %s %s", async (...args) => {
    await platform.stack.succeed("destroy", "--yes", "--skip-preview", ...args);
  });

  it("has nothing left then", async () => expect(await platform.standing()).toEqual(NOTHING));
});
