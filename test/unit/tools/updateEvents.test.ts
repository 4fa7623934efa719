import { expect, test } from "vitest";
import { CHANGES_BEGIN, statusOfStep } from "../../../provider/core/guardStatus.ts";
import { Stages } from "../../../tools/deploy/stages.ts";
import { UpdateProgress } from "../../../tools/deploy/updateEvents.ts";

const urn = (type: string, name: string): string => `urn:pulumi:dev::p::a$${type}::${name}`;
const LAYER = "pgstrata:index:Layer";
const VERIFICATION = "pgstrata:index:Verification";

const resource = (event: string, type: string, outputs: object = {}, op = "update"): string =>
  JSON.stringify({ [event]: { metadata: { op, urn: urn(type, "x"), type, new: { custom: true, outputs } } } });
const status = (message: string): string =>
  JSON.stringify({
    diagnosticEvent: { urn: urn(LAYER, "x"), message: `${message}\n`, severity: "info", ephemeral: true },
  });

function follow(...lines: string[]): { progress: UpdateProgress; stages: Stages } {
  const stages = new Stages(() => {});
  const progress = new UpdateProgress({ stage: (name) => stages.begin(name), line: () => {} });
  stages.begin("update");
  for (const line of lines) progress.take(line);
  return { progress, stages };
}

const BEGUN = [resource("resourcePreEvent", LAYER), status(statusOfStep("gate")), status(statusOfStep("backup"))];

test("an update is in the stage that the provider has told last", () => {
  expect(follow(...BEGUN).stages.running).toBe("backup");
  expect(follow(...BEGUN, status(CHANGES_BEGIN)).stages.running).toBe("update");
  const { stages } = follow(...BEGUN, status(CHANGES_BEGIN), resource("resourcePreEvent", VERIFICATION));
  expect(stages.running).toBe("verification");
  expect([stages.of("gate").status, stages.of("backup").status]).toEqual(["passed", "passed"]);
});

test("what has begun and not ended is told apart from what is changed", () => {
  const { progress } = follow(...BEGUN, status(CHANGES_BEGIN));
  expect([...progress.begun]).toEqual(["Layer x"]);
  expect(progress.changed).toEqual([]);
  for (let n = 0; n < 2; n += 1) progress.take(resource("resOutputsEvent", LAYER));
  expect([...progress.begun]).toEqual([]);
  expect(progress.changed).toEqual(["Layer x"]);
});

test("a report of an earlier verification is not taken for one of this update", () => {
  const outputs = { result: "PASS", report: [] };
  expect(follow(resource("resOutputsEvent", VERIFICATION, outputs, "same")).progress.verified).toBeUndefined();
  expect(follow(resource("resOutputsEvent", VERIFICATION, outputs)).progress.verified).toEqual(outputs);
});
