import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorLine, type Outcome } from "./command.ts";
import { differences, type Fact, factsOf, query, without } from "./facts.ts";
import { NotToBeHad, type Session, type Target, type Tool } from "./tool.ts";
import type { Workload } from "./workload.ts";

/** Runs of one command: how long each took, or why it failed. */
export interface Timing {
  wallsMs: number[];
  failure?: string;
}

/** What was found out about one tool on one workload. */
export interface Findings {
  tool: string;
  takes: Tool["takes"];
  version?: string;
  /** Why it could not be installed. Nothing else is known then. */
  notToBeHad?: string;
  up: Timing;
  noop: Timing;
  change: Timing;
  /** How its database differs from the reference after the first run. */
  lacks: string[];
  /** What the next run did about a policy that was dropped by hand. */
  drift?: string;
  /** What a change left behind whose second part failed. */
  conflict?: string | undefined;
  /** What taking the change back came to. */
  undo?: string | undefined;
}

/** The server of all measurements. */
export interface Bench {
  host: string;
  port: number;
  user: string;
  password: string;
  url(database: string): string;
  /** A directory for the tools' files. */
  directory: string;
}

/**
 * Measures a tool: a run that does not count, `runs` that do, each on a database of its own, and the probes.
 */
export async function measure(
  tool: Tool,
  workload: Workload,
  bench: Bench,
  { runs, probes }: { runs: number; probes: boolean },
): Promise<Findings> {
  const findings: Findings = {
    tool: tool.name,
    takes: tool.takes,
    up: { wallsMs: [] },
    noop: { wallsMs: [] },
    change: { wallsMs: [] },
    lacks: [],
  };
  try {
    findings.version = await tool.prepare();
  } catch (error) {
    if (!(error instanceof NotToBeHad)) throw error;
    return { ...findings, notToBeHad: error.message };
  }
  const desired = await referenceFacts(workload, bench);
  const onDatabase = <T>(body: (session: Session, target: Target) => Promise<T>): Promise<T> =>
    withDatabase(tool, workload, bench, body);

  await onDatabase(async (session, target) => {
    const url = target.url(target.database);
    const before = await factsOf(url, workload.schemas);
    await session.describe([]);
    note(findings.up, await session.apply(), false);
    findings.lacks = differences(desired, without(await factsOf(url, workload.schemas), before));
  });
  for (let n = 0; n < runs && findings.up.failure === undefined; n++) {
    await onDatabase(async (session, target) => {
      const url = target.url(target.database);
      await session.describe([]);
      note(findings.up, await session.apply());
      note(findings.noop, await (session.check ?? session.apply)());
      const before = await factsOf(url, workload.schemas);
      await session.describe([workload.change]);
      note(findings.change, await session.apply());
      const done = differences(before, await factsOf(url, workload.schemas));
      if (done.join() !== "columns: 1 too many")
        findings.change.failure ??= `changed the schema otherwise: ${done.join(", ") || "not at all"}`;
    });
  }
  if (!probes || findings.up.failure !== undefined) return findings;
  findings.drift = await onDatabase((session, target) => probeDrift(session, target, workload));
  findings.conflict = await onDatabase((session, target) => probeConflict(session, target, workload));
  findings.undo = await onDatabase((session, target) => probeUndo(tool, session, target, workload));
  return findings;
}

function note(timing: Timing, { exitCode, wallMs, output }: Outcome, counts = true): void {
  if (exitCode !== 0) timing.failure ??= errorLine(output);
  else if (counts) timing.wallsMs.push(wallMs);
}

/** A policy that somebody drops by hand: does the next run bring it back? */
async function probeDrift(session: Session, target: Target, workload: Workload): Promise<string> {
  const url = target.url(target.database);
  await session.describe([]);
  await session.apply();
  const before = await factsOf(url, workload.schemas);
  const [policy] = await query<{ drop: string }>(
    url,
    `select format('drop policy %I on %s', polname, polrelid::regclass) as drop from pg_policy order by 1 limit 1`,
  );
  if (policy === undefined) return "has no policies";
  await query(url, policy.drop);
  const { exitCode } = await session.apply();
  if (differences(before, await factsOf(url, workload.schemas)).length === 0) return "repaired";
  return exitCode === 0 ? "not noticed" : "fails, not repaired";
}

/** A change of two parts, of which the second fails on a row of the table. */
async function probeConflict(session: Session, target: Target, workload: Workload): Promise<string | undefined> {
  const { conflict } = workload;
  if (conflict === undefined) return undefined;
  const url = target.url(target.database);
  await session.describe([]);
  await session.apply();
  await query(url, conflict.rows);
  const before = await factsOf(url, workload.schemas);
  await session.describe([conflict]);
  const { exitCode } = await session.apply();
  const left = differences(before, await factsOf(url, workload.schemas));
  if (exitCode === 0) return `no failure reported; ${left.join(", ") || "nothing done"}`;
  return left.length === 0 ? "nothing" : left.map((text) => text.replace(" too many", "")).join(", ");
}

/** The change taken back: by the tool's own command, or by the older files. */
async function probeUndo(
  tool: Tool,
  session: Session,
  target: Target,
  workload: Workload,
): Promise<string | undefined> {
  if (session.undo === undefined && tool.takes !== "desired state") return "none";
  const url = target.url(target.database);
  await session.describe([]);
  await session.apply();
  const before: Fact[] = await factsOf(url, workload.schemas);
  await session.describe([workload.change]);
  await session.apply();
  let outcome: Outcome;
  if (session.undo === undefined) {
    await session.describe([]);
    outcome = await session.apply();
  } else outcome = await session.undo();
  if (outcome.exitCode !== 0) return `fails: ${errorLine(outcome.output)}`;
  const left = differences(before, await factsOf(url, workload.schemas));
  if (left.length > 0) return `incomplete: ${left.join(", ")}`;
  return session.undo === undefined ? "apply the older files" : "a script written by hand, run by its command";
}

/** The facts of the workload, made by a plain client. */
async function referenceFacts(workload: Workload, bench: Bench): Promise<Fact[]> {
  await query(bench.url("postgres"), "create database peer_reference");
  try {
    const url = bench.url("peer_reference");
    for (const { files } of workload.initial) for (const { text } of files) await query(url, text);
    return await factsOf(url, workload.schemas);
  } finally {
    await query(bench.url("postgres"), "drop database peer_reference with (force)");
  }
}

async function withDatabase<T>(
  tool: Tool,
  workload: Workload,
  bench: Bench,
  body: (session: Session, target: Target) => Promise<T>,
): Promise<T> {
  const { directory: parent, ...connection } = bench;
  const directory = await mkdtemp(join(parent, "tool-"));
  await chmod(directory, 0o755);
  const target: Target = { ...connection, database: "peer", scratch: "peer_scratch", directory };
  for (const name of [target.database, target.scratch]) {
    await query(bench.url("postgres"), `drop database if exists ${name} with (force)`);
    await query(bench.url("postgres"), `create database ${name}`);
  }
  const session = await tool.open(target, workload);
  try {
    return await body(session, target);
  } finally {
    await session.close?.();
    await rm(directory, { recursive: true, force: true });
  }
}
