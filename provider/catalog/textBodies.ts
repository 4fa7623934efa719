/**
 * What a function calls or reads by a name in its body. The catalog has no dependencies of a body that is a
 * text, so each object whose name stands in it as a word counts. What is built of a name while the function
 * runs is not seen.
 */
import type { Fact, FactBase, StableId } from "./pgDelta.ts";
import { text } from "./tables.ts";

/** Where the body begins. */
const BODY = /^(?:AS |BEGIN ATOMIC$|RETURN )/m;

/** Where the body of a function begins in its definition. */
export function bodyStart(definition: string): number {
  return BODY.exec(definition)?.index ?? definition.length;
}

const isRoutine = ({ kind }: StableId): boolean => kind === "function" || kind === "procedure";

/** The body of a function that is a text, else nothing. */
export function textBody(fact: Fact | undefined): string {
  if (fact === undefined || !isRoutine(fact.id)) return "";
  const definition = text(fact, "def");
  const body = definition.slice(bodyStart(definition));
  return body.startsWith("AS ") ? body : "";
}

const wordsOf = (sql: string): string[] => sql.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

/** Kinds that an expression or a query can name. */
const NAMED: ReadonlySet<StableId["kind"]> = new Set([
  "function",
  "procedure",
  "aggregate",
  "table",
  "foreignTable",
  "view",
  "materializedView",
  "sequence",
  "type",
  "domain",
]);

/** Finds the objects of a database that a text names. */
export class NamesInText {
  private readonly byWord: ReadonlyMap<string, StableId[]>;

  constructor(ids: readonly StableId[]) {
    this.byWord = Map.groupBy(
      ids.filter(({ kind }) => NAMED.has(kind)),
      (id) => ("name" in id ? (wordsOf(id.name)[0] ?? "") : ""),
    );
  }

  static of(base: FactBase): NamesInText {
    return new NamesInText(base.facts().map(({ id }) => id));
  }

  in(sql: string): StableId[] {
    const words = new Set(sql === "" ? [] : wordsOf(sql));
    return [...words].flatMap((word) =>
      (this.byWord.get(word) ?? []).filter((id) => "name" in id && wordsOf(id.name).every((each) => words.has(each))),
    );
  }
}
