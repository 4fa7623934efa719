/**
 * Which names a statement has, by its words alone: where to look for what another one lacks. What a statement
 * creates is left to the server.
 */
import { nameOf, type SqlToken, sqlTokens } from "../plan/renames/sqlTokens.ts";

/** What the words of a statement tell. */
export interface StatementNames {
  /** The first word, in capitals. */
  verb: string;
  /** Whether it does nothing but set something in the session. */
  isSetting: boolean;
  /** Whether it begins or ends a transaction, or a part of one. */
  isTransaction: boolean;
  /** Whether it is about all objects of a kind that are there, or about those to come. */
  isAboutAll: boolean;
  isExtension: boolean;
  /** Name, without its schema, of the object that it creates, changes or drops. */
  subject: string | undefined;
  /** The same with the schema that the statement gives it, joined by a dot as in messages of the server. */
  qualified: string | undefined;
  /** All names in it, in a body between dollar signs as well. */
  names: ReadonlySet<string>;
}

const TRANSACTION = new Set(["BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"]);

/** Words between CREATE, ALTER or DROP and a name. */
const BEFORE_NAME = new Set(
  (
    "or replace global local temporary temp unlogged foreign unique recursive materialized constraint event if not exists only " +
    "concurrently table view index function procedure routine aggregate trigger policy rule type domain sequence schema extension " +
    "collation conversion operator class family statistics text search configuration dictionary parser template trusted procedural " +
    "language access method server data wrapper publication default authorization on column"
  ).split(" "),
);

/** @param sql one statement. */
export function statementNames(sql: string): StatementNames {
  const tokens = sqlTokens(sql).filter(({ kind }) => kind !== "comment");
  const [first, second] = tokens.map(({ kind, text }) => (kind === "word" ? text.toUpperCase() : ""));
  const verb = first ?? "";
  const names = namesIn(tokens);
  for (const name of tokens.flatMap(namesInBody)) names.add(name);
  const isDdl = verb === "CREATE" || verb === "ALTER" || verb === "DROP";
  const subject = isDdl ? subjectOf(tokens) : [];
  return {
    verb,
    isSetting:
      ((verb === "SET" || verb === "RESET") && !/^(CONSTRAINTS|TRANSACTION)$/.test(second ?? "")) ||
      (verb === "SELECT" && names.has("set_config")),
    isTransaction: TRANSACTION.has(verb),
    isAboutAll:
      (verb === "ALTER" && second === "DEFAULT") ||
      ((verb === "GRANT" || verb === "REVOKE") && /\bon\s+all\s+\w+\s+in\s+schema\b/i.test(sql)),
    isExtension: verb === "CREATE" && second === "EXTENSION",
    subject: subject.at(-1),
    qualified: subject.length === 0 ? undefined : subject.join("."),
    names,
  };
}

function namesIn(tokens: readonly SqlToken[]): Set<string> {
  return new Set(tokens.flatMap((token) => nameOf(token) ?? []));
}

/** @returns the names in a body between dollar signs. */
function namesInBody({ kind, text }: SqlToken): string[] {
  const body = kind === "text" ? /^(\$\w*\$)([\s\S]*)\1$/.exec(text)?.[2] : undefined;
  return body === undefined ? [] : [...namesIn(sqlTokens(body).filter((token) => token.kind !== "comment"))];
}

/** The parts of a name; none where there is no name. */
function subjectOf(tokens: readonly SqlToken[]): string[] {
  const isDot = (at: number): boolean => tokens[at]?.kind === "symbol" && tokens[at]?.text === ".";
  let at = 1;
  for (let token = tokens[at]; token?.kind === "word" && !isDot(at + 1); token = tokens[at]) {
    if (!BEFORE_NAME.has(token.text.toLowerCase())) break;
    at += 1;
  }
  const first = at;
  while (isDot(at + 1)) at += 2;
  const parts = tokens.slice(first, at + 1).flatMap((token, n) => (n % 2 === 0 ? (nameOf(token) ?? []) : []));
  return parts.length === (at - first) / 2 + 1 ? parts : [];
}
