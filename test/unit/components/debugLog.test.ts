import { describe, expect, it } from "vitest";
import { withoutAnswer } from "../../../components/program/debugLog.ts";

describe("the debug log of the program", () => {
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
