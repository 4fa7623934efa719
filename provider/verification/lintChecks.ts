/** What lints of the live catalog mean for a verification. What is asked is left to `lint/`. */
import { connectionLoss } from "../database/lostConnection.ts";
import type { Database } from "../database/target.ts";
import { type Finding, lintDatabase } from "../lint/lintCatalog.ts";
import type { CheckResult } from "./report.ts";
import { shownCause } from "./runChecks.ts";

const NAME = "lint";

/** ERROR is FAIL, WARNING is WARNING; what is only INFO is counted, and listed by `npm run lint:db`. */
export async function lintChecks(database: Database, schemas: readonly string[]): Promise<CheckResult[]> {
  const expected = "no finding that is not exempt in the SQL with a reason";
  try {
    const { findings, exempted, lints } = await lintDatabase(database, schemas);
    const told = findings.filter(({ level }) => level !== "INFO");
    const summary: CheckResult = {
      name: NAME,
      status: "PASS",
      measured: `${lints} lints, ${findings.length} findings, ${findings.length - told.length} of them INFO; ${exempted.length} exempt`,
      expected,
    };
    return [summary, ...told.map(answer)];
  } catch (error) {
    if (connectionLoss(error) !== undefined) throw error;
    return [{ name: NAME, status: "FAIL", measured: `the lints ended with an error: ${shownCause(error)}`, expected }];
  }
}

const answer = ({ code, name, level, object, found, mend }: Finding): CheckResult => ({
  name: `${NAME} ${code} ${object}`,
  status: level === "ERROR" ? "FAIL" : "WARNING",
  measured: `${name}: ${found}`,
  expected: mend,
});
