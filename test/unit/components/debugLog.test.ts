import * as pulumi from "@pulumi/pulumi";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { keepDebugLogBack, withoutAnswer } from "../../../components/program/debugLog.ts";

describe("the debug log of the program", () => {
  it("is kept back unless it is asked for", async () => {
    const said: string[] = [];
    const { debug } = pulumi.log;
    const answer = "getResource Invoke RPC finished: err: null, resp: hunter2";
    Object.assign(pulumi.log, { debug: async (message: string) => said.push(message) });
    onTestFinished(() => {
      vi.unstubAllEnvs();
      Object.assign(pulumi.log, { debug });
    });

    keepDebugLogBack();
    await pulumi.log.debug(answer);
    vi.stubEnv("PGSTRATA_SDK_DEBUG", "1");
    await pulumi.log.debug(answer);

    expect(said).toEqual(["getResource Invoke RPC finished: err: null, resp: [not shown]"]);
  });

  it("shows that a call ended, but not what the engine answered", () => {
    expect(
      withoutAnswer(
        "RegisterResource RPC finished: resource:p[random:index:P]; err: null, resp: urn,result,hunter2\nmore",
      ),
    ).toBe("RegisterResource RPC finished: resource:p[random:index:P]; err: null, resp: [not shown]");
    expect(withoutAnswer("getResource Invoke RPC finished: err: null, resp: hunter2")).not.toContain("hunter2");
  });

  it("shows everything else as it is", () => {
    const message = "Registering resource: t=pulumi:pulumi:Stack, name=pgstrata-dev";
    expect(withoutAnswer(message)).toBe(message);
  });
});
