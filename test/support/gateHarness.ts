import type { BackupSettings } from "../../provider/core/config.ts";
import type { CallContext, CheckFailure, Properties } from "../../provider/core/resourceType.ts";
import { createGate } from "../../provider/resources/gate/gate.ts";
import { createSession, type Session } from "../../provider/resources/session.ts";
import { defaults } from "./layerHarness.ts";

/** One run of the provider with a gate that its program has declared. */
export interface GatedRun {
  session: Session;
  failures: CheckFailure[];
  /** The inputs that Check gives out. */
  inputs: Properties;
  said: string[];
  context: CallContext;
  /** What a check says of the report; the first words of its line. */
  statusOf(name: string): string | undefined;
  /** The whole line of a check; undefined where it passes. */
  line(name: string): string | undefined;
  close(): Promise<void>;
}

/**
 * @param gate its inputs; `isDryRun` is true unless they say something else.
 * @param options.provider settings of the provider.
 * @param options.olds inputs of the gate in the state; none for a stack that has no gate yet.
 */
export async function gatedRun(
  url: string,
  gate: Properties,
  options: { provider?: Properties; backup?: Partial<BackupSettings>; directory?: string; olds?: Properties } = {},
): Promise<GatedRun> {
  const config = defaults({ url, ...options.provider });
  const { directory: projectDirectory = process.cwd(), olds = {} } = options;
  const session = createSession({ ...config, backup: { ...config.backup, ...options.backup } }, { projectDirectory });
  const said: string[] = [];
  const isPreview = gate.isDryRun !== false;
  const say = (text: string): void => void said.push(text);
  const context: CallContext = {
    urn: "urn:pulumi:test::test::pgstrata:index:Gate::gate",
    preview: isPreview,
    signal: new AbortController().signal,
    report: { info: say, warn: say, status: () => {}, plan: async () => {} },
  };
  session.record.hasProgram = true;
  const { inputs, failures } = await createGate(session).check(context, olds, { isDryRun: true, ...gate });
  const text = (): string => [...said, ...failures.map(({ reason }) => reason)].join("\n");
  const line = (name: string): string | undefined =>
    text()
      .split("\n")
      .map((each) => each.trim())
      .find((each) => each.includes(` ${name}: `));
  return {
    ...{ session, failures, inputs, said, context, line },
    statusOf: (name) => line(name)?.split(" ")[0],
    close: () => session.close(),
  };
}
