import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PartialFailure } from "../../../provider/core/errors.ts";
import type { CallContext, Properties, ResourceState, ResourceType } from "../../../provider/core/resourceType.ts";
import { resourceTypes } from "../../../provider/resources/index.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { defaults, project } from "../../support/layerHarness.ts";

// A stand-in for the CLI tells what the state of the stack holds.
const home = mkdtempSync(join(tmpdir(), "pgstrata-later-"));
const path = process.env.PATH ?? "";
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.query("create table public.codes (code text primary key)");
  writeFileSync(join(home, "pulumi"), `#!/bin/sh\nexec cat ${home}/state.json\n`);
  chmodSync(join(home, "pulumi"), 0o755);
  process.env.PATH = `${home}${delimiter}${path}`;
  check("PASS");
});
afterAll(async () => {
  process.env.PATH = path;
  await database.drop();
  rmSync(home, { recursive: true, force: true });
});

const urnOf = (type: string, name: string): string => `urn:pulumi:prod::shop::pgstrata:index:${type}::${name}`;
const row = (name: string): string => urnOf("Row", name);
const inputsOf = (code: string): Properties => ({ table: "public.codes", key: { code } });
const CHECKS: Properties = { checks: ["later"] };

const check = (status: string): string =>
  project.write(
    "later/a.sql",
    `-- check: a\nselect 'a' as name, '${status}' as status, '1' as measured, '1' as expected;`,
  );

const holds = (...resources: { urn: string; delete?: boolean; provider?: string }[]): void =>
  writeFileSync(join(home, "state.json"), JSON.stringify({ deployment: { resources } }));

interface Verified {
  isDue: boolean;
  result: string;
  state: ResourceState;
  said: string;
}

/** A run that declares rows of these names, and then comes to its verification. */
async function run(
  names: readonly string[],
  state: ResourceState | undefined,
  more?: (row: ResourceType, context: (name: string) => CallContext) => Promise<unknown>,
): Promise<Verified> {
  const session = createSession(defaults({ url: database.url }), { projectDirectory: project.directory });
  session.record.hasProgram = true;
  const said: string[] = [];
  const contextOf = (urn: string): CallContext => contextIn(urn, said);
  try {
    const rows = await typeOf("Row", session);
    for (const name of names) await rows.check(contextOf(row(name)), {}, inputsOf(name));
    await more?.(rows, (name) => contextOf(row(name)));
    const verification = await typeOf("Verification", session);
    const context = contextOf(urnOf("Verification", "v"));
    const isDue = state === undefined || (await verification.diff(context, state, CHECKS)).changed;
    const after = await (state === undefined
      ? verification.create(context, CHECKS)
      : verification.update(context, state, CHECKS).then((outputs) => ({ id: state.id, outputs }))
    ).catch((error: unknown) => {
      if (error instanceof PartialFailure) return error.state;
      throw error;
    });
    return {
      ...{ isDue, result: String(after.outputs.result), said: said.join("\n") },
      state: { ...after, inputs: CHECKS },
    };
  } finally {
    await session.close();
  }
}

function contextIn(urn: string, said: string[] = []): CallContext {
  const say = (text: string): void => void said.push(text);
  return {
    ...{ urn, preview: false, signal: new AbortController().signal },
    report: { info: say, warn: say, status: () => {}, plan: async () => {} },
  };
}

function typeOf(name: string, session: Session): Promise<ResourceType> {
  const load = resourceTypes[`pgstrata:index:${name}`];
  if (load === undefined) throw new Error(`there is no resource ${name}`);
  return load(session);
}

test("an update that deletes something afterwards is verified by the first one that finds it gone", async () => {
  const both = await run(["a", "b"], undefined);
  expect(both).toMatchObject({ result: "PASS", state: { outputs: { resources: [row("a"), row("b")] } } });
  expect((await run(["b", "a"], both.state)).isDue).toBe(false);

  // Without a program, as in a refresh.
  const session = createSession(defaults({ url: database.url }), { projectDirectory: project.directory });
  const refreshed = (await typeOf("Verification", session)).diff(
    contextIn(urnOf("Verification", "v")),
    both.state,
    CHECKS,
  );
  expect((await refreshed).changed).toBe(false);
  await session.close();

  holds({ urn: row("a") }, { urn: row("b") });
  const deleting = await run(["a"], both.state);
  expect(deleting).toMatchObject({ isDue: true, result: "PENDING" });
  expect(deleting.said).toContain(
    "this update has not come to Row b: it deletes them after the checks, or only targets are updated",
  );

  // It was stopped before it came to that.
  const stopped = await run(["a"], deleting.state);
  expect(stopped).toMatchObject({ isDue: true, result: "PENDING" });

  holds({ urn: row("a") });
  const gone = await run(["a"], stopped.state);
  expect(gone).toMatchObject({ isDue: true, result: "PASS", state: { outputs: { resources: [row("a")] } } });
  expect((await run(["a"], gone.state)).isDue).toBe(false);
});

test("what is still to be deleted is not forgotten where a check fails", async () => {
  const both = await run(["a", "b"], undefined);
  holds({ urn: row("a") }, { urn: row("b") });
  check("FAIL");
  const failed = await run(["a"], both.state);
  expect(failed).toMatchObject({ result: "FAIL", state: { outputs: { resources: [row("a"), row("b")] } } });

  check("PASS");
  expect(await run(["a"], failed.state)).toMatchObject({ isDue: true, result: "PENDING" });
});

test("what a replacement leaves for the end is told apart from one that deletes first", async () => {
  const before = await run(["a"], undefined);
  holds({ urn: row("a"), delete: true }, { urn: row("a") }, { urn: urnOf("Verification", "v") });
  const olds = { id: "a", inputs: inputsOf("a"), outputs: { ...inputsOf("a"), adopted: false } };
  const replaced = await run(["a"], before.state, (type, contextOf) => type.diff(contextOf("a"), olds, inputsOf("c")));
  expect(replaced).toMatchObject({ isDue: true, result: "PENDING" });

  holds({ urn: row("a") });
  expect(await run(["a"], replaced.state)).toMatchObject({ isDue: true, result: "PASS" });
});

test("where the state cannot be asked, what is missing counts as still to be deleted", async () => {
  const both = await run(["a", "b"], undefined);
  writeFileSync(join(home, "state.json"), "no state");
  const unsure = await run(["a"], both.state);
  expect(unsure.result).toBe("PENDING");
  expect(unsure.said).toContain("whether an update has still to delete Row b is not known");
});

test("a first verification of targets only is none of what the update has left out, and another target's is not asked", async () => {
  const [ours, others] = ["urn:a::1", "urn:b::2"];
  holds({ urn: row("a"), provider: ours }, { urn: row("b"), provider: ours }, { urn: row("c"), provider: others });

  const targeted = await run(["a"], undefined);

  expect(targeted).toMatchObject({ result: "PENDING", state: { outputs: { resources: [row("a"), row("b")] } } });
  expect(targeted.said).toContain("this update has not come to Row b:");
  const whole = await run(["a", "b"], targeted.state);
  expect(whole).toMatchObject({ isDue: true, result: "PASS" });
});
