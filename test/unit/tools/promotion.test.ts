import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { deploy } from "../../../tools/deploy/deploy.ts";
import { Interrupts } from "../../../tools/deploy/interrupts.ts";
import { requireVerified } from "../../../tools/deploy/promotion.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "pgstrata-promotion-")));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const STACKS = { from: "dev", to: "prod" };
const RELEASE = { desired: "0123456789", result: "PASS", verifiedAt: "2026-11-28T02:00:00Z", commit: "" };
const VERIFICATION = {
  type: "pgstrata:index:Verification",
  outputs: { result: "PASS", verifiedAt: RELEASE.verifiedAt },
};

/** Asks with a stand-in for the Pulumi CLI, which knows a setting of prod, and outputs and state of dev. */
function ask(promoteFrom: string | undefined, outputs: object, resources?: object[]): Promise<string> {
  return requireVerified(home, STACKS, standIn(promoteFrom, outputs, resources));
}

/** The environment that finds it. */
function standIn(
  promoteFrom: string | undefined,
  outputs: object,
  resources: object[] = [VERIFICATION],
): NodeJS.ProcessEnv {
  const config = promoteFrom === undefined ? {} : { "pgstrata:promoteFrom": { value: promoteFrom, secret: false } };
  const script = [
    "#!/bin/sh",
    `if [ "$1" = config ]; then cat <<'END'\n${JSON.stringify(config)}\nEND`,
    `elif [ "$2" = export ]; then cat <<'END'\n${JSON.stringify({ deployment: { resources: resources.map((one) => ({ urn: "urn", ...one })) } })}\nEND`,
    `else cat <<'END'\n${JSON.stringify(outputs)}\nEND\nfi`,
  ];
  writeFileSync(join(home, "pulumi"), `${script.join("\n")}\n`);
  chmodSync(join(home, "pulumi"), 0o755);
  return { ...process.env, PATH: `${home}${delimiter}${process.env.PATH ?? ""}` };
}

test("what a stack has verified is promoted to one whose gate asks for it", async () => {
  expect(await ask("team/pgstrata/dev", { release: RELEASE })).toBe(
    "Promotes 0123456789 from dev to prod: PASS at 2026-11-28T02:00:00Z, commit not known.",
  );
});

test("a stack whose gate does not ask for the other one gets nothing", async () => {
  await expect(ask(undefined, { release: RELEASE })).rejects.toThrow("pulumi config set promoteFrom dev --stack prod");
  await expect(ask("staging", { release: RELEASE })).rejects.toThrow("asks for stack staging, expected dev");
});

test("a stack that has verified nothing, or failed, gives nothing", async () => {
  await expect(ask("dev", {})).rejects.toThrow("Stack dev exports no verified release. Nothing was changed.");
  await expect(ask("dev", { release: { ...RELEASE, result: "FAIL" } })).rejects.toThrow("says FAIL, expected PASS");
  await expect(ask("dev", { release: { ...RELEASE, result: "PENDING" } })).rejects.toThrow(
    "says PENDING, expected PASS",
  );
});

test("what a stack exports does not count where its state says something else by now", async () => {
  const failed = { ...VERIFICATION, outputs: { ...VERIFICATION.outputs, result: "FAIL" } };
  await expect(ask("dev", { release: RELEASE }, [failed])).rejects.toThrow("says FAIL, expected PASS");
  await expect(ask("dev", { release: RELEASE }, [])).rejects.toThrow("has no verification any more");
});

test("a deploy to a stack whose gate asks for another one is refused as a promotion is, before it begins", async () => {
  const interrupts = new Interrupts();
  const failed = { ...VERIFICATION, outputs: { ...VERIFICATION.outputs, result: "FAIL" } };
  const deployed = deploy({
    ...{ folder: home, env: standIn("dev", { release: RELEASE }, [failed]), stack: "prod", interrupts },
    ...{ approvedPlan: undefined, ask: expect.unreachable, show: expect.unreachable },
  });
  await expect(deployed).rejects.toThrow("The last verification of stack dev");
  interrupts.close();
});
