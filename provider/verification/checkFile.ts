/**
 * How files of checks are written: sections that a comment names, each of statements of which the last one
 * answers. Running them is left to `runChecks.ts`.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { sqlStatements } from "../shadow/sqlStatements.ts";

/** A named section of a file. */
export interface Section {
  /** Of `-- check: <name>`, or of `-- query: <name>`. Unique among all files. */
  name: string;
  /** As a person would open it: relative to the project directory. */
  path: string;
  /** Roles of `-- as: <role>, …`: it runs as the first one, and may take on the others. */
  roles: string[];
  /** Of `-- writes`: it needs a transaction that may write; whatever it writes is undone. */
  writes: boolean;
  statements: string[];
}

/** What opens a section, by what the files are for. */
export type SectionKind = "check" | "query";

/** A comment that says something of the section it stands in. */
const DIRECTIVE = /^--\s*(?<key>check|query|as|writes)\b:?\s*(?<value>.*?)\s*$/;

/** What would end the transaction in which everything is undone. */
const ENDS_TRANSACTION =
  /^(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare\s+transaction|set\s+(?:session\s+)?(?:transaction|characteristics)|call)\b/i;

/**
 * The sections of files and of the `.sql` files in folders, in the order of their names.
 *
 * @param directory the project directory: relative paths start there.
 * @throws {UserError} where a path leads nowhere, or a file is not written as one of sections.
 */
export async function readSections(kind: SectionKind, paths: readonly string[], directory: string): Promise<Section[]> {
  const sections: Section[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path, directory))
      sections.push(...parseSections(kind, file, await readFile(inside(file, directory), "utf8")));
  }
  const names = new Map<string, string>();
  for (const { name, path } of sections) {
    const other = names.get(name);
    if (other !== undefined) throw fault(path, `the ${kind} "${name}" is in ${other} too; expected each name once`);
    names.set(name, path);
  }
  return sections;
}

/** The sections of one file. What stands before the first one holds comments only. */
export function parseSections(kind: SectionKind, path: string, text: string): Section[] {
  const sections: { section: Section; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const { key, value = "" } = DIRECTIVE.exec(line)?.groups ?? {};
    const open = sections.at(-1);
    if (key === kind) {
      if (value === "")
        throw fault(path, `found "-- ${kind}:" without a name; expected one, such as "-- ${kind}: rls.enabled"`);
      sections.push({ section: { name: value, path, roles: [], writes: false, statements: [] }, lines: [] });
    } else if (open === undefined) {
      if (line.trim() !== "" && !line.startsWith("--"))
        throw fault(
          path,
          `found SQL before the first "-- ${kind}: <name>"; expected each statement below the name of its ${kind}`,
        );
    } else {
      if (key === "as") open.section.roles = value.split(",").map((role) => role.trim());
      if (key === "writes") open.section.writes = true;
      open.lines.push(line);
    }
  }
  if (sections.length === 0) throw fault(path, `found no "-- ${kind}: <name>"; expected at least one`);
  for (const { section, lines } of sections) section.statements = statementsOf(kind, section, lines.join("\n"));
  return sections.map(({ section }) => section);
}

function statementsOf(kind: SectionKind, { name, path }: Section, sql: string): string[] {
  const statements = sqlStatements(sql).map(({ start, end }) => sql.slice(start, end).replace(/;$/, ""));
  if (statements.length === 0) throw fault(path, `the ${kind} "${name}" has no statement`);
  const ending = statements.find((statement) => ENDS_TRANSACTION.test(statement));
  if (ending === undefined) return statements;
  const [word = ""] = ending.split(/\s/);
  throw fault(
    path,
    `the ${kind} "${name}" has a statement ${word.toUpperCase()}, but all that it does is undone in a transaction around it. Leave the statement out`,
  );
}

async function filesAt(path: string, directory: string): Promise<string[]> {
  const place = inside(path, directory);
  const found = await stat(place).catch(() => undefined);
  if (found?.isFile()) return [path];
  const names = found?.isDirectory() ? (await readdir(place)).filter((name) => name.endsWith(".sql")).sort() : [];
  if (names.length > 0) return names.map((name) => join(path, name));
  throw fault(path, "found no .sql file there; expected a file of checks, or a folder of such files");
}

const inside = (path: string, directory: string): string => (isAbsolute(path) ? path : join(directory, path));

const fault = (path: string, what: string): UserError => new UserError("PS821", `${path}: ${what}`);
