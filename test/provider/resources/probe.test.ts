import { describe, expect, inject, test } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import { type CallContext, type Properties, UNKNOWN } from "../../../provider/core/resourceType.ts";
import { createProbe } from "../../../provider/resources/probe/probe.ts";
import { standInService } from "../services/probeTrials.ts";

const probe = createProbe({ database: undefined });
const database = inject("serverUrl");

interface Said {
  infos: string[];
  warnings: string[];
}

function context(preview = false): CallContext & Said {
  const [infos, warnings]: [string[], string[]] = [[], []];
  const report = {
    info: (message: string) => void infos.push(message),
    warn: (message: string) => void warnings.push(message),
    status: () => {},
    plan: async () => {},
  };
  const urn = "urn:pulumi:dev::pgstrata::pgstrata:index:Probe::cache";
  return { urn, preview, report, signal: new AbortController().signal, infos, warnings };
}

const inputs = (given: Properties): Properties => ({ type: "postgresql", connectionString: database, ...given });

describe("a probe as a resource", () => {
  test("tells version and latency, in a preview as well, and keeps them after an update", async () => {
    const before = context(true);
    expect(await probe.create(before, inputs({}))).toMatchObject({ outputs: { version: UNKNOWN, problem: UNKNOWN } });
    expect(before.infos).toEqual([expect.stringMatching(/^postgresql 1\d\S* answers in [\d.]+ ms$/)]);
    const { outputs } = await probe.create(context(), inputs({}));
    expect(outputs).toMatchObject({ version: expect.stringMatching(/^1/), problem: "", latencyMs: expect.any(Number) });
  });

  test("that is required stops preview and update; one that warns tells once, and goes on", async () => {
    const closing = await standInService("closing");
    const connectionString = `postgresql://me:hunter2-secret@127.0.0.1:${closing.port}/shop`;
    for (const preview of [true, false]) {
      const refusal = probe.create(context(preview), inputs({ connectionString, mode: "require" }));
      const error = await refusal.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (!(error instanceof UserError)) throw error;
      expect(error.code).toBe("PS855");
      expect(error.message).not.toContain("hunter2");
      const warning = context(preview);
      await probe.create(warning, inputs({ connectionString, mode: "warn" }));
      expect(warning.warnings).toEqual([expect.stringContaining(`127.0.0.1:${closing.port}: `)]);
      expect(warning.warnings.join()).not.toContain("hunter2");
    }
    closing.stop();
  });

  test("of a name within Railway's network is one warning elsewhere", async () => {
    const connectionString = "redis://default:hunter2@redis.railway.internal:6379";
    const said = context(true);
    await probe.create(said, { type: "redis", connectionString });
    expect(said.warnings).toEqual([expect.stringContaining("within Railway's network alone")]);
  });

  test("connects to nothing where nothing has changed, nor while a part of it is not known", async () => {
    const refusing = { connectionString: "postgresql://me:pw@127.0.0.1:1/shop", mode: "require" };
    const news = inputs(refusing);
    const state = { id: "probe", inputs: news, outputs: news };
    expect((await probe.diff(context(), state, news)).changed).toBe(false);
    const changed = await probe.diff(context(), state, inputs({ ...refusing, mode: "warn" }));
    expect(changed.detailed).toEqual({ mode: { kind: "update", inputDiff: true } });
    await probe.create(context(true), { ...news, connectionString: UNKNOWN });
    const named = { ...news, registration: { project: "p", name: "cache" } };
    expect((await probe.diff(context(), state, named)).changed).toBe(false);
  });

  test("refuses inputs that it does not know, all at once and without a value", async () => {
    const { failures } = await probe.check(
      context(),
      {},
      { type: "oracle", connectionString: "", mode: "hope", extra: 1 },
    );
    expect(failures.map(({ property }) => property).sort()).toEqual(["connectionString", "extra", "mode", "type"]);
    const other = await probe.check(context(), {}, inputs({ connectionString: "redis://:hunter2@h" }));
    expect(other.failures).toEqual([
      {
        code: "PS601",
        property: "connectionString",
        reason: 'is one of type "redis", expected one of type "postgresql"',
      },
    ]);
  });
});
