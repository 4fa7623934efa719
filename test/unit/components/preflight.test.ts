import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it } from "vitest";
import { AccessRoles } from "../../../components/platform/AccessRoles.ts";
import { PlatformSchema } from "../../../components/platform/PlatformSchema.ts";
import { readPlatformConfig } from "../../../components/program/stackConfig.ts";
import { gateArgs, planSettings } from "../../../components/release/gateSettings.ts";
import { Preflight, type PreflightArgs } from "../../../components/release/Preflight.ts";
import { Row } from "../../../components/resources/Row.ts";
import { type MockedProgram, mockPulumi } from "../../support/pulumiMocks.ts";

const GATE = "pgstrata:index:Gate";

let program: MockedProgram;
beforeEach(async () => {
  program = await mockPulumi();
});

/** A program that declares a gate first: which of its later resources depend on the gate. */
async function heldBy(args: PreflightArgs): Promise<{ held: string[]; all: string[] }> {
  const all: string[] = [];
  const held: string[] = [];
  await pulumi.runtime.runInPulumiStack(async () => {
    const preflight = new Preflight("preflight", args);
    pulumi.runtime.registerStackTransformation(({ type, name, opts: { dependsOn = [] } }) => {
      all.push(`${type} ${name}`);
      if ([dependsOn].flat().some((each) => each === preflight.gate)) held.push(`${type} ${name}`);
      return undefined;
    });
    const access = new AccessRoles("access", {});
    const platform = new PlatformSchema("platform", { access });
    const row = new Row("one", { table: "app.t", key: { id: 1 } }, { dependsOn: platform });
    await program.settle(preflight, access, platform, row);
  });
  return { held: held.sort(), all };
}

describe("a preflight", () => {
  it("is waited for by each role, layer and row that comes after it, beside what these depend on themselves", async () => {
    const { held, all } = await heldBy({});
    expect(held).toEqual([
      "pgstrata:index:Layer platform",
      "pgstrata:index:Row one",
      "pgstrata:index:Row platform-context-key",
      "postgresql:index/role:Role studio_app",
      "postgresql:index/role:Role studio_decrypt",
      "postgresql:index/role:Role studio_readonly",
      "postgresql:index/role:Role studio_system",
    ]);
    expect(all).toContain("random:index/randomPassword:RandomPassword studio_app");
  });

  it("tells the gate whether it runs in a preview, and nothing of a stack that it does not ask", async () => {
    await heldBy({ schemas: ["app"] });
    expect(program.find(GATE, "preflight").inputs).toEqual({ schemas: ["app"], isDryRun: false });
  });

  it("asks the stack before this one for its release, by its whole name", async () => {
    await heldBy({ promoteFrom: "dev" });
    expect(program.find(GATE, "preflight").inputs).toMatchObject({ release: "release-of-organization/pgstrata/dev" });
  });
});

describe("the settings of a gate", () => {
  function read(settings: Record<string, string>) {
    const all = { localDatabase: "true", allowPlaceholders: "true", ...settings };
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(all).map(([key, value]) => [`pgstrata:${key}`, value])),
    );
    return readPlatformConfig(new pulumi.Config(), []).plain;
  }

  it("need none to be set: a gate is required, and nothing more", () => {
    const plain = read({});
    expect(plain.requireGate).toBe(true);
    expect(Object.entries(gateArgs(plain)).filter(([, value]) => value !== undefined)).toEqual([
      ["trial", []],
      ["overrides", {}],
      ["thresholds", {}],
    ]);
  });

  it("are read from the stack, structures too", () => {
    const override = { who: "Ann", why: "seen", until: "2026-12-01T00:00:00Z", plan: "1-2-3-4" };
    const plain = read({
      ...{ window: "23:00-01:00", promoteFrom: "dev", promoteMaxAgeHours: "24", gateTrial: '["disk"]' },
      ...{ gateThresholds: '{"freeDiskMb":1}', gateOverrides: JSON.stringify({ disk: override }) },
    });
    expect(gateArgs(plain)).toMatchObject({
      ...{ window: "23:00-01:00", promoteFrom: "dev", promoteMaxAgeHours: 24, trial: ["disk"] },
      ...{ thresholds: { freeDiskMb: 1 }, overrides: { disk: override } },
    });
  });

  it("are refused where they cannot be meant", () => {
    for (const window of ["2-4", "02:00 - 04:00", "02:00-02:00"])
      expect(() => read({ window })).toThrow('window: expected a window in UTC such as "02:00-04:00"');
    expect(() => read({ gateOverrides: '{"disk":{"who":"Ann"}}' })).toThrow("gateOverrides.disk.why");
  });

  it("are no part of what a plan stands for, since they pin it", () => {
    const one = planSettings(read({ railwayRegion: "north" }));
    const pinned = { approvedPlan: "1-2-3-4", window: "02:00-04:00", incident: "INC-7", gateTrial: '["disk"]' };
    expect(planSettings(read({ railwayRegion: "north", ...pinned }))).toEqual(one);
    expect(planSettings(read({ railwayRegion: "south" }))).not.toEqual(one);
    expect(one).toMatchObject({ railwayRegion: "north", organization: { slug: "lancio" } });
  });
});
