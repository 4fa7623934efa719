/**
 * A planner that is broken on purpose, in one of the ways that a planner can be: something is forgotten, too
 * early, twice, written otherwise. What a rehearsal has to find.
 */
import type { Statement, StatementList } from "../../provider/plan/statement.ts";

/** @param choice which one of several statements it is, counted from the last; any whole number. */
export type Break = (statements: readonly Statement[], choice: number) => Statement[];

const forgotten =
  (pattern: RegExp): Break =>
  (statements) =>
    statements.filter(({ sql }) => !pattern.test(sql));

const written =
  (pattern: RegExp, text: string): Break =>
  (statements) =>
    statements.map((statement) => ({ ...statement, sql: statement.sql.replace(pattern, text) }));

const first =
  (pattern: RegExp): Break =>
  (statements) => [
    ...statements.filter(({ sql }) => pattern.test(sql)),
    ...statements.filter(({ sql }) => !pattern.test(sql)),
  ];

const chosenOf = (statements: readonly Statement[], choice: number): Statement | undefined =>
  statements.at(-1 - (choice % statements.length));

/** By what is wrong with the plan. */
export const BREAKAGES = {
  "a dependent that stays": forgotten(/^DROP (?:VIEW|POLICY|TRIGGER|FUNCTION)/),
  "an index before its columns": first(/^CREATE (?:UNIQUE )?INDEX/),
  "a foreign key before the key that it refers to": first(/ FOREIGN KEY /),
  "a name that is not there": written(/(ALTER|DROP) COLUMN "/, '$1 COLUMN "no '),
  "SQL that is none": written(/^COMMENT ON/, "COMMENT UPON"),
  "a statement that is not allowed in a transaction": written(
    /^CREATE (UNIQUE )?INDEX /,
    "CREATE $1INDEX CONCURRENTLY ",
  ),
  "an enum value that is used before its commit": (statements) =>
    statements.map((statement) => ({ ...statement, transaction: "shared" })),
  "a forgotten comment": forgotten(/^COMMENT/),
  "another type": written(/(COLUMN|\() ?("[^"]+") text\b/, "$1 $2 varchar"),
  "a policy that lets more through": written(/^(CREATE POLICY .*USING )\((.*)\)/s, "$1(($2) or true)"),
  "a grant to everyone": written(/^(GRANT .*) TO "[^"]+"/s, "$1 TO PUBLIC"),
  "something that nobody asked for": (statements) =>
    statements.map((each, n) => (n === 0 ? { ...each, sql: `${each.sql}; create schema if not exists extra` } : each)),
  "a table that stays open": forgotten(/ROW LEVEL SECURITY/),
  "a forgotten statement": (statements, choice) => {
    const chosen = chosenOf(statements, choice);
    return statements.filter((each) => each !== chosen);
  },
  "a statement twice": (statements, choice) => {
    const chosen = chosenOf(statements, choice);
    return statements.flatMap((each) => (each === chosen ? [each, each] : [each]));
  },
  "a statement too early": (statements, choice) => {
    const chosen = chosenOf(statements, choice);
    return [...statements.filter((each) => each === chosen), ...statements.filter((each) => each !== chosen)];
  },
  "the order turned round": (statements) => [...statements].reverse(),
} satisfies Record<string, Break>;

export type Breakage = keyof typeof BREAKAGES;

export const breakages = Object.keys(BREAKAGES).filter((name): name is Breakage => name in BREAKAGES);

/** How the planner of a test file is broken. */
interface BrokenPlanner {
  /** As it is, while undefined. */
  breakage: Breakage | undefined;
  choice: number;
  /** What it planned since they were taken away. */
  lists: (readonly Statement[])[];
}

export const planner: BrokenPlanner = { breakage: undefined, choice: 0, lists: [] };

type Planner = typeof import("../../provider/plan/planStatements.ts");

/** For `vi.mock` of `plan/planStatements.ts`. */
export function breakable(planSegments: Planner["planSegments"]): Planner["planSegments"] {
  return (...sides) => planSegments(...sides).map((segment) => ({ ...segment, list: broken(segment.list) }));
}

/** The same for the planner of a destroy. */
export function breakableWhole(planStatements: Planner["planStatements"]): Planner["planStatements"] {
  return (...sides) => broken(planStatements(...sides));
}

function broken(list: StatementList): StatementList {
  planner.lists.push(list.statements);
  if (planner.breakage === undefined) return list;
  return { ...list, statements: BREAKAGES[planner.breakage](list.statements, planner.choice) };
}

/** Whether a plan is another one when it is broken so. */
export function changes(breakage: Breakage, statements: readonly Statement[], choice: number): boolean {
  return textOf(BREAKAGES[breakage](statements, choice)) !== textOf(statements);
}

const textOf = (statements: readonly Statement[]): string =>
  JSON.stringify(statements.map(({ sql, transaction }) => [sql, transaction]));
