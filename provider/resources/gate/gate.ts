/**
 * The calls about a gate. Check measures: in a preview all checks, in an update what it needs in any case.
 * The rest follows before the first change, from `guard/steps.ts`.
 */
import { writeFile } from "node:fs/promises";
import type { CallContext, CheckFailure, Properties, ResourceType } from "../../core/resourceType.ts";
import { containsUnknown, equalValues } from "../../core/values.ts";
import { filesHash } from "../../gate/digest.ts";
import type { Session } from "../session.ts";
import { GateRun } from "./gateRun.ts";
import { OF_THE_RUN, parseGateInputs } from "./inputs.ts";

/** Where a preview leaves its report as JSON, for `npm run gate`. */
const REPORT_FILE = process.env.PGSTRATA_GATE_REPORT;

export function createGate(session: Session): ResourceType {
  return {
    token: "pgstrata:index:Gate",
    check: (context, olds, news) => check(session, context, news, olds.desired === undefined),

    async diff(_context, state, news) {
      const names = new Set([...Object.keys(state.inputs), ...Object.keys(news)]);
      const changed = [...names].filter((name) => !equalValues(state.inputs[name] ?? null, news[name] ?? null));
      return {
        changed: changed.length > 0,
        detailed: Object.fromEntries(changed.map((name) => [name, { kind: "update", inputDiff: true }])),
      };
    },

    async create(context, news) {
      // The first update of a stack makes roles before anything that the guard sees.
      if (!context.preview) await session.record.gate?.pass(context);
      return { id: "gate", outputs: news };
    },

    read: async (_context, state) => state,
    update: async (_context, _state, news) => news,
    delete: async () => {},
  };
}

async function check(
  session: Session,
  context: CallContext,
  news: Properties,
  isFirst: boolean,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  const { report } = context;
  const isKnown = Object.entries(news).every(([name, value]) => name === "release" || !containsUnknown(value));
  if (!isKnown) return { inputs: withoutRun(news), failures: [] };
  const parsed = parseGateInputs(news, isFirst);
  if ("failures" in parsed) return { inputs: news, failures: parsed.failures };
  const { kept, settings, isPreview } = parsed;
  const desired = await filesHash(settings.sources, session.projectDirectory);
  const inputs: Properties = { ...kept, desired };
  if (session.database === undefined) {
    report.info("the database is not known yet: the gate asks it when it is");
    return { inputs, failures: [] };
  }
  const run = new GateRun(session, session.database, settings, desired);
  session.record.gate = run;
  const { verdict, isStopping, text, whole } = await (isPreview ? run.forecast(context) : run.begin());
  if (isPreview && REPORT_FILE !== undefined) await writeFile(REPORT_FILE, JSON.stringify(whole));
  if (isStopping) return { inputs, failures: [{ code: "PS801", property: "", reason: text }] };
  if (text !== "") report[verdict === "GO" && isPreview ? "info" : "warn"](text);
  return { inputs, failures: [] };
}

function withoutRun(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !OF_THE_RUN.some((each) => each === name)));
}
