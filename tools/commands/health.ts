/**
 * `npm run health -- [--stack <name>] [--watch] [--every <time>] [--json]`: asks all registered services.
 * Exit code 0 where the registry has all as healthy afterwards, 1 where one is unhealthy, 2 where that cannot
 * be told.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { shownError, UserError } from "../../provider/core/errors.ts";
import { openDatabase } from "../../provider/database/target.ts";
import { Interrupts } from "../deploy/interrupts.ts";
import { checkHealth } from "../health/checkHealth.ts";
import { type HealthReport, healthAsTable, isUnhealthy } from "../health/healthText.ts";
import { hasOwnBackend, processEnvironment } from "../lib/environment.ts";
import { printReport, runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { exportStack } from "../lib/stackDatabase.ts";
import { parseRegistries } from "../lib/stackState.ts";

const UNKNOWN = 2;
const USAGE =
  "npm run health -- [--stack <name>] [--watch] [--every <5m>] [--json] [--concurrency <8>] [--timeout <5s>] [--after <2>]";
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

await runMain(
  USAGE,
  async () => {
    const { stack, json, watch, everyMs, ...limits } = options();
    const interrupts = new Interrupts();
    const { signal } = interrupts.abort;
    try {
      const urls = await databasesOf(stack);
      do {
        process.exitCode = await round(urls, { ...limits, signal }, json, watch);
        if (watch) await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      } while (watch && !signal.aborted);
      if (!watch && signal.aborted) process.exitCode = interrupts.exitCode;
    } finally {
      interrupts.close();
    }
  },
  UNKNOWN,
);

/** The exit code that it leads to. A watch goes on where a round could not ask. */
async function round(
  urls: readonly string[],
  limits: Parameters<typeof checkHealth>[1],
  json: boolean,
  watch: boolean,
): Promise<number> {
  try {
    const reports: HealthReport[] = [];
    for (const url of urls) reports.push(await report(url, limits));
    if (!limits.signal.aborted) {
      printReport(json ? JSON.stringify({ databases: reports }) : `${reports.map(healthAsTable).join("\n\n")}\n`);
    }
    return reports.some(isUnhealthy) ? 1 : 0;
  } catch (error) {
    if (!watch) throw error;
    console.error(`error: ${shownError(error)}`);
    return UNKNOWN;
  }
}

async function report(url: string, limits: Parameters<typeof checkHealth>[1]): Promise<HealthReport> {
  const database = openDatabase({ url });
  if (database === undefined) throw new UserError("PS602", "The URL of the database is not known.");
  try {
    const registrations = await checkHealth(database, limits);
    return { database: database.label, checkedAt: new Date().toISOString(), registrations };
  } finally {
    await database.close();
  }
}

async function databasesOf(stack: string | undefined): Promise<string[]> {
  const own = process.env.PGSTRATA_HEALTH_URL;
  if (own !== undefined && own !== "") return [own];
  const env = hasOwnBackend(process.env) ? process.env : processEnvironment(projectRoot);
  const urls = parseRegistries(await exportStack({ folder: projectRoot, stack, env }));
  if (urls.length > 0) return urls;
  throw new UserError(
    "PS701",
    `The state of the stack${stack === undefined ? "" : ` ${stack}`} holds no registration. Run \`pulumi up\` first, or name another stack with --stack.`,
  );
}

function options() {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      options: {
        stack: text,
        json: { type: "boolean", default: false },
        watch: { type: "boolean", default: false },
        every: { ...text, default: "5m" },
        concurrency: { ...text, default: "8" },
        timeout: { ...text, default: "5s" },
        after: { ...text, default: "2" },
      },
    });
    return {
      stack: values.stack,
      json: values.json,
      watch: values.watch,
      everyMs: time("every", values.every),
      concurrency: count("concurrency", values.concurrency),
      timeoutMs: time("timeout", values.timeout),
      after: count("after", values.after),
    };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}

function time(option: string, text: string): number {
  const [, number, unit = ""] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (milliseconds > 0) return milliseconds;
  throw new Error(`--${option}: "${text}" is not a time such as 30s or 5m`);
}

function count(option: string, text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new Error(`--${option}: "${text}" is not a whole number of 1 or more`);
}
