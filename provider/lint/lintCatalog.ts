/**
 * Asks a live catalog all lints, and takes off what is exempt. What is asked is in `rules/`; what a finding
 * means for an update is left to `verification/lintChecks.ts`.
 */
import type pg from "pg";
import { PRINT_ALIKE } from "../catalog/printSettings.ts";
import type { Database } from "../database/target.ts";
import { type Comment, commentOn, covers, type Exemption, type Misread, readExemptions } from "./exemptions.ts";
import { EXEMPTION_LINTS, LINTS } from "./lints.ts";
import { CATALOG, type FoundObject, LEVELS, type Level, type Lint } from "./rule.ts";

export interface Finding {
  code: string;
  name: string;
  level: Level;
  type: string;
  object: string;
  found: string;
  why: string;
  /** SQL; what is in angle brackets only a person knows. */
  mend: string;
}

/** A finding that the SQL says to leave. */
export interface Exempted {
  code: string;
  object: string;
  reason: string;
}

export interface LintReport {
  /** The worst first. */
  findings: Finding[];
  exempted: Exempted[];
  /** How many lints were asked. */
  lints: number;
}

/** 10,000 tables take some seconds. */
const STATEMENT_TIMEOUT_MS = 60_000;

/** The oid of an object's schema, by the catalog that holds it. */
const schemaOf = (place: string): string => `CASE ${place}.class
    WHEN 'pg_class' THEN (SELECT c.relnamespace FROM pg_catalog.pg_class AS c WHERE c.oid = ${place}.object)
    WHEN 'pg_proc' THEN (SELECT p.pronamespace FROM pg_catalog.pg_proc AS p WHERE p.oid = ${place}.object)
    WHEN 'pg_type' THEN (SELECT t.typnamespace FROM pg_catalog.pg_type AS t WHERE t.oid = ${place}.object)
    WHEN 'pg_constraint' THEN (SELECT k.connamespace FROM pg_catalog.pg_constraint AS k WHERE k.oid = ${place}.object)
    WHEN 'pg_policy' THEN (SELECT c.relnamespace FROM pg_catalog.pg_policy AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid WHERE p.oid = ${place}.object)
    WHEN 'pg_trigger' THEN (SELECT c.relnamespace FROM pg_catalog.pg_trigger AS g JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid WHERE g.oid = ${place}.object)
  END`;

/** The columns of a {@link FoundObject}. */
const OBJECT = (place: string): string => `${place}.class, ${place}.object::pg_catalog.text AS object, ${place}.part,
  ${place}.relation::pg_catalog.text AS relation, (${schemaOf(place)})::pg_catalog.text AS schema, i.type, i.identity`;

const IDENTIFIED = (place: string): string =>
  `CROSS JOIN LATERAL pg_catalog.pg_identify_object(('pg_catalog.' || ${place}.class)::pg_catalog.regclass, ${place}.object, ${place}.part) AS i`;

/**
 * All lints in one statement: what they ask of the catalog in common is read once, which is a third of the
 * time that single statements take.
 */
const QUESTION = `
WITH ${CATALOG}, ${LINTS.map(({ code, find }) => `${code} AS (${find})`).join(", ")},
finding AS (${LINTS.map(
  ({ code, refine, milder }) =>
    `SELECT '${code}' AS code, class, object, part, relation, found, mend, ${milder === undefined ? "false" : "is_milder"} AS is_milder, ${refine === undefined ? "NULL::pg_catalog.json" : "detail"} AS detail FROM ${code}`,
).join(" UNION ALL ")})
SELECT f.code, ${OBJECT("f")}, f.found, f.mend, f.is_milder, f.detail
FROM finding AS f ${IDENTIFIED("f")} WHERE i.identity IS NOT NULL ORDER BY f.code, i.identity`;

/** Comments on what lints are about that have the word of an exemption in them. */
const COMMENTS = `
WITH ${CATALOG}, noted AS (
  SELECT c.relname::pg_catalog.text AS class, d.objoid AS object, d.objsubid AS part, NULL::pg_catalog.oid AS relation, d.description AS text
  FROM pg_catalog.pg_description AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.classoid
  WHERE pg_catalog.strpos(d.description, 'lint-ignore') > 0
)
SELECT ${OBJECT("n")}, n.text FROM noted AS n ${IDENTIFIED("n")}
WHERE CASE n.class WHEN 'pg_extension' THEN true WHEN 'pg_namespace' THEN n.object IN (SELECT m.oid FROM managed AS m)
      ELSE (${schemaOf("n")}) IN (SELECT m.oid FROM managed AS m) END
ORDER BY i.identity`;

/** A code by itself, and by its name. */
const KNOWN = new Map(LINTS.flatMap(({ code, name }) => [[code, code] as const, [name, code] as const]));

interface Row extends FoundObject {
  code: string;
  found: string;
  mend: string;
  is_milder: boolean;
  detail?: unknown;
}

/** The findings in one transaction that only reads, so that also a standby can be asked. */
export async function lintDatabase(database: Database, schemas: readonly string[]): Promise<LintReport> {
  const client = await database.connect();
  let broken: Error | undefined;
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const report = await lintCatalog(client, schemas);
    await client.query("ROLLBACK");
    return report;
  } catch (error) {
    // The transaction ends with its connection.
    broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * The same within a transaction of the caller's.
 *
 * @param schemas that are asked about; where there are none, all that are the user's own.
 */
export async function lintCatalog(client: pg.ClientBase, schemas: readonly string[]): Promise<LintReport> {
  await client.query(PRINT_ALIKE);
  // Compiling a query of catalogs takes longer than running it.
  await client.query(`SET LOCAL jit = off; SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
  const { exemptions, misread } = await exemptionsIn(client, schemas);
  const used = new Set<Exemption>();
  const report: LintReport = { findings: [], exempted: [], lints: LINTS.length };
  for (const row of (await client.query<Row>(QUESTION, [schemas])).rows) {
    const lint = LINTS.find(({ code }) => code === row.code);
    const words = lint?.refine === undefined ? row : lint.refine(row.detail);
    if (lint === undefined || words === undefined) continue;
    const by = exemptions.filter(({ code, comment }) => code === lint.code && covers(comment, row));
    for (const each of by) used.add(each);
    const [first] = by;
    const level = row.is_milder ? (lint.milder ?? lint.level) : lint.level;
    if (first === undefined) report.findings.push(findingOf({ ...lint, level }, row, words));
    else report.exempted.push({ code: lint.code, object: row.identity, reason: first.reason });
  }
  report.findings.push(
    ...exemptions.filter((each) => !used.has(each)).map(unused),
    ...misread.map((each) => exemptionFinding("unreadable", each.found, each)),
  );
  report.findings.sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || (a.code < b.code ? -1 : 1));
  return report;
}

async function exemptionsIn(client: pg.ClientBase, schemas: readonly string[]) {
  const { rows } = await client.query<Comment>(COMMENTS, [schemas]);
  const read = rows.map((comment) => readExemptions(comment, KNOWN));
  return {
    exemptions: read.flatMap(({ exemptions }) => exemptions),
    misread: read.flatMap(({ misread }) => misread),
  };
}

const unused = (exemption: Exemption): Finding =>
  exemptionFinding("unused", `"lint-ignore ${exemption.code}" exempts nothing`, exemption);

const exemptionFinding = (
  kind: keyof typeof EXEMPTION_LINTS,
  found: string,
  { comment, rest }: Pick<Misread, "comment" | "rest">,
): Finding => findingOf(EXEMPTION_LINTS[kind], comment, { found, mend: commentOn(comment, rest) });

const findingOf = (
  { code, name, level, why }: Pick<Lint, "code" | "name" | "level" | "why">,
  { type, identity }: FoundObject,
  { found, mend }: { found: string; mend: string },
): Finding => ({ code, name, level, type, object: identity, found, why, mend });
