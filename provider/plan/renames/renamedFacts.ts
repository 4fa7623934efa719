/** Facts and records of a database as they are once its tables and columns have new names. */

import { buildFactBase } from "../../catalog/factBase.ts";
import { splitName } from "../../catalog/kinds/kind.ts";
import { baseOf } from "../../catalog/kinds/kinds.ts";
import {
  contentHash,
  encodeId,
  type Fact,
  type FactBase,
  type PayloadValue,
  parseId,
  type StableId,
} from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { keepOwnerEdge } from "../../catalog/readCatalog.ts";
import { type TableId, tableId, tableOf } from "../../catalog/tables.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import { inFormOf } from "../../contribution/forms.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import { renamedInheritance } from "./renamedInheritance.ts";
import { type Rename, textsOf } from "./renames.ts";
import { nameOf, sqlTokens } from "./sqlTokens.ts";

/** An id as it is after renames. */
export type NewId = (id: StableId) => StableId;

/** As the server prints a name: quoted only where it must be. */
const plainName = (name: string): string => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdent(name));

const typeName = ({ schema, name }: TableId): string => `${plainName(schema)}.${plainName(name)}`;

/** @param renames of any kind; what is not named by them keeps its name but goes along with its table. */
export function newIds(renames: readonly Rename[]): NewId {
  const named = new Map<string, StableId>(renames.map(({ from, to }) => [encodeId(from), to]));
  const tables = new Map<string, TableId>();
  const types = new Map<string, string>();
  for (const { from, to } of renames) {
    if (from.kind !== "table" || to.kind !== "table") continue;
    tables.set(encodeId(from), to);
    // A table's rows have a type of its name, which functions may take.
    types.set(typeName(from), typeName(to));
    types.set(`${typeName(from)}[]`, `${typeName(to)}[]`);
  }
  const moved = (schema: string, name: string): TableId =>
    tables.get(encodeId(tableId(schema, name))) ?? tableId(schema, name);
  const newId: NewId = (id) => {
    const exact = named.get(encodeId(id));
    if (exact !== undefined) return exact;
    switch (id.kind) {
      case "default": {
        const column = newId({ ...id, kind: "column" });
        return column.kind === "column" ? { ...column, kind: "default" } : id;
      }
      case "column":
      case "constraint":
      case "trigger":
      case "rule":
      case "policy": {
        const table = moved(id.schema, id.table);
        return { ...id, schema: table.schema, table: table.name };
      }
      case "acl": {
        const target = newId(id.target);
        if (id.column === undefined || id.target.kind !== "table") return { ...id, target };
        const column = newId({ kind: "column", schema: id.target.schema, table: id.target.name, name: id.column });
        return { ...id, target, ...("name" in column ? { column: column.name } : {}) };
      }
      case "comment":
      case "securityLabel":
        return { ...id, target: newId(id.target) };
      case "publicationRel": {
        const table = moved(id.schema, id.table);
        return { ...id, schema: table.schema, table: table.name };
      }
      case "extensionIntent":
        return renamedPart(id, newId);
      case "function":
      case "procedure":
      case "aggregate":
        return types.size === 0 ? id : { ...id, args: id.args.map((type) => types.get(type) ?? type) };
      default:
        return id;
    }
  };
  return newId;
}

/** The key of a part of another object begins with the name of that. */
function renamedPart(id: Extract<StableId, { kind: "extensionIntent" }>, newId: NewId): StableId {
  const base = baseOf(id);
  const [schema = "", name = "", ...rest] = splitName(id.key);
  if (base === undefined || base === "any") return id;
  const [column] = rest;
  const whole: StableId =
    base === "column" && column !== undefined
      ? { kind: "column", schema, table: name, name: column }
      : { kind: base === "column" ? "table" : base, schema, name };
  const to = newId(whole);
  const parts =
    to.kind === "column"
      ? [to.schema, to.table, to.name]
      : "schema" in to && "name" in to && to.schema !== null
        ? [to.schema, to.name, ...rest]
        : [];
  return parts.length === 0 ? id : { ...id, key: parts.map(plainName).join(".") };
}

const same = (a: PayloadValue, b: PayloadValue): boolean => contentHash(a ?? null) === contentHash(b ?? null);

/**
 * The database after the renames. What the layer itself declares is as the shadow says, to the letter: an
 * attribute that is as the files mean it under the old names is as they say it under the new ones. The
 * definitions of others are the server's to rewrite; here they are rewritten by names alone, which a preview
 * of the layers above is content with.
 *
 * @param before what the layer means under the old names.
 * @param contribution what it means under the new ones.
 */
export function renamedFacts(
  live: FactBase,
  renames: readonly Rename[],
  before: Contribution,
  contribution: Contribution,
): FactBase {
  const newId = newIds(renames);
  const meantBefore = new Map(before.added.map((fact) => [encodeId(fact.id), fact]));
  const meantNow = new Map(contribution.added.map((fact) => [encodeId(fact.id), fact]));
  const moved = new Set(renames.filter(({ from, to }) => from.schema !== to.schema).map(({ to }) => encodeId(to)));
  const words = new Map(
    renames.flatMap(({ from, to }) =>
      (from.kind === "table" || from.kind === "column") && from.name !== to.name
        ? [[encodeId(from), { from: from.name, to: to.name }]]
        : [],
    ),
  );
  const inNewNames = (sql: string, tables: readonly TableId[]): string => withWords(sql, wordsOf(tables, renames));
  /** What a fact refers to; a relation that moves refers to its new schema. */
  const near = (id: StableId, of: StableId): StableId =>
    id.kind === "schema" && moved.has(encodeId(of)) && "schema" in of && of.schema !== null
      ? { ...id, name: of.schema }
      : newId(id);
  const facts = live.facts().map((fact): Fact => {
    const id = newId(fact.id);
    const [declaredBefore, is] = [meantBefore.get(encodeId(fact.id)), meantNow.get(encodeId(id))];
    const was = declaredBefore && inFormOf(declaredBefore, fact, before.forms);
    const payload =
      was !== undefined && is !== undefined
        ? Object.fromEntries(
            Object.entries(fact.payload).map(([key, value]) => [
              key,
              declared(value, was.payload[key], is.payload[key]),
            ]),
          )
        : othersPayload(fact, live, words, newId);
    const links = renamedInheritance(fact, live, newId, inNewNames);
    const whole = links === undefined ? payload : { ...payload, _inheritance: links };
    return { id, ...(fact.parent === undefined ? {} : { parent: near(fact.parent, id) }), payload: whole };
  });
  const edges = live.edges.map((edge) => {
    const from = newId(edge.from);
    return { ...edge, from, to: near(edge.to, from) };
  });
  return buildFactBase(facts, edges, live.source, { allowDangling: keepOwnerEdge });
}

/**
 * What differs under the old names must differ under the new ones too, even if both happen to be spelt alike.
 */
function declared(value: PayloadValue, was: PayloadValue, is: PayloadValue): PayloadValue {
  if (same(value, was)) return is;
  return !same(was, is) && same(value, is) && typeof value === "string" ? `${value} ` : value;
}

interface Word {
  from: string;
  to: string;
}

/** New names of tables and of their columns. */
function wordsOf(tables: readonly TableId[], renames: readonly Rename[]): Word[] {
  const keys = new Set(tables.map(encodeId));
  return renames.flatMap(({ from, to }) => {
    const isOf =
      from.kind === "table"
        ? keys.has(encodeId(from))
        : from.kind === "column" && keys.has(encodeId(tableId(from.schema, from.table)));
    return isOf && from.name !== to.name ? [{ from: from.name, to: to.name }] : [];
  });
}

function othersPayload(fact: Fact, live: FactBase, words: ReadonlyMap<string, Word>, newId: NewId): Fact["payload"] {
  const touching = [
    ...live
      .outgoingEdges(fact.id)
      .filter(({ kind }) => kind === "depends")
      .map(({ to }) => to),
    ...(fact.parent === undefined ? [] : [fact.parent]),
  ];
  const own = touching.flatMap((id) => {
    const ids = "table" in id && "name" in id ? [id, tableId(id.schema, id.table)] : [id];
    return ids.flatMap((key) => words.get(encodeId(key)) ?? []);
  });
  const { parentTable } = fact.payload;
  const { schema, name } = textsOf(parentTable);
  const parent = schema === undefined || name === undefined ? undefined : newId(tableId(schema, name));
  if (own.length === 0 && parent === undefined) return fact.payload;
  return Object.fromEntries(
    Object.entries(fact.payload).map(([key, value]) => {
      if (key === "parentTable" && parent?.kind === "table") return [key, { schema: parent.schema, name: parent.name }];
      return [key, typeof value === "string" ? withWords(value, own) : value];
    }),
  );
}

function withWords(sql: string, words: readonly Word[]): string {
  let result = "";
  let at = 0;
  for (const token of sqlTokens(sql)) {
    const name = nameOf(token);
    const word = name === undefined ? undefined : words.find(({ from }) => from === name);
    if (word === undefined) continue;
    result += sql.slice(at, token.start) + plainName(word.to);
    at = token.end;
  }
  return result + sql.slice(at);
}

/** Tables and columns that a record speaks of, as encoded ids. */
export function mentionedIn(record: ContributionRecord): Set<string> {
  const found = new Set<string>();
  const add = (id: StableId): void => {
    if (id.kind === "acl" || id.kind === "comment" || id.kind === "securityLabel") {
      if (id.kind === "acl" && id.column !== undefined && id.target.kind === "table")
        add({ kind: "column", schema: id.target.schema, table: id.target.name, name: id.column });
      add(id.target);
    } else if (id.kind === "extensionIntent") {
      const whole = tableOf(id);
      if (whole !== undefined) found.add(encodeId(whole));
      const [schema = "", table = "", name] = splitName(id.key);
      if (baseOf(id) === "column" && name !== undefined) found.add(encodeId({ kind: "column", schema, table, name }));
    } else if ("table" in id && "name" in id) {
      found.add(encodeId(tableId(id.schema, id.table)));
      if (id.kind === "column" || id.kind === "default") found.add(encodeId({ ...id, kind: "column" }));
    } else if (id.kind === "table") found.add(encodeId(id));
  };
  for (const key of Object.keys(record.added)) add(parseId(key));
  for (const { id } of [...record.said, ...record.removed, ...record.changed]) add(parseId(id));
  return found;
}

/**
 * The record of a layer as if it had been written after the renames: what it made stays its own, what it
 * adopted stays adopted.
 */
export function renamedRecord(record: ContributionRecord, newId: NewId): ContributionRecord {
  const key = (id: string): string => encodeId(newId(parseId(id)));
  const keys = <Value>(values: Record<string, Value>): Record<string, Value> =>
    Object.fromEntries(Object.entries(values).map(([id, value]) => [key(id), value]));
  return {
    added: keys(record.added),
    ...(record.forms === undefined ? {} : { forms: keys(record.forms) }),
    adopted: record.adopted.map(key),
    said: record.said.map((saying) => ({ ...saying, id: key(saying.id) })),
    owners: keys(record.owners),
    ...(record.ownersFound === undefined ? {} : { ownersFound: keys(record.ownersFound) }),
    removed: record.removed.map((fact) => ({
      ...fact,
      id: key(fact.id),
      ...(fact.parent === undefined ? {} : { parent: key(fact.parent) }),
    })),
    changed: record.changed.map((change) => ({ ...change, id: key(change.id) })),
  };
}
