/**
 * Verifies the databases of a stack as its last update left them, without an update. What was before is not
 * known then, so rows are not compared, and times are held against the longest alone.
 */
import { inputFault, UserError } from "../core/errors.ts";
import type { Properties } from "../core/resourceType.ts";
import { compareBaseline } from "../verification/baseline.ts";
import { readSections } from "../verification/checkFile.ts";
import { lintChecks } from "../verification/lintChecks.ts";
import { type CheckResult, type Status, verdictOf } from "../verification/report.ts";
import { verify } from "../verification/runChecks.ts";
import { parseConfig } from "./provider/inputs.ts";
import { createSession } from "./session.ts";
import { checkedVerificationInputs } from "./verification/inputs.ts";

/** A database that a stack manages, with its verification as the state has it. */
export interface VerifiedDatabase {
  /** The inputs of the provider, the URL among them. */
  provider: Properties;
  /** The inputs of the verification. */
  verification: Properties;
}

export interface StackReport {
  /** `user@host:port/database`. */
  database: string;
  result: Status;
  report: CheckResult[];
}

/** @throws {UserError} when the database cannot be reached, or a file of checks cannot be read. */
export async function verifyStack(
  { provider, verification }: VerifiedDatabase,
  projectDirectory: string,
  signal: AbortSignal,
): Promise<StackReport> {
  const { config, failures } = parseConfig(provider);
  if (failures.length > 0)
    throw new UserError("PS602", `The database cannot be verified: ${failures.map(inputFault).join("; ")}.`);
  const { checks, lintSchemas, slowdownPercent, otherWriters } = checkedVerificationInputs(verification);
  const sections = await readSections("check", checks, projectDirectory);
  const session = createSession(config, { projectDirectory });
  try {
    const { database } = session;
    if (database === undefined) throw new UserError("PS602", "The URL of the database is not known.");
    const limits = { hasOtherWriters: otherWriters, slowdownPercent };
    const report = [
      ...(await verify(database, config, sections, signal)),
      ...(lintSchemas.length === 0 ? [] : await lintChecks(database, lintSchemas)),
      ...(await compareBaseline(database, config, projectDirectory, {}, limits, signal)),
    ];
    return { database: database.label, result: verdictOf(report), report };
  } finally {
    await session.close();
  }
}
