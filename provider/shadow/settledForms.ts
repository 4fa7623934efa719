/**
 * In which form a definition settles: the server makes it from its own print until that stays the same. Which
 * attributes are definitions is told by `catalog/definitions.ts`.
 */
import type { PoolClient } from "pg";
import { definitionsOf, type Remaking, remakingOf, withDefinitions } from "../catalog/definitions.ts";
import { encodeId, type Fact, type FactBase } from "../catalog/pgDelta.ts";
import { PRINT_ALIKE } from "../catalog/printSettings.ts";
import { searchPathOf } from "../catalog/searchPath.ts";
import type { Forms } from "../contribution/forms.ts";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import type { ScratchDatabase } from "./shadow.ts";

/**
 * Two are enough for all that was tried. A definition that goes round in a circle is equal in each of its
 * forms.
 */
const MOST_ROUNDS = 6;

/**
 * Runs statements, asks a question, and rolls all of it back. What the server refuses, such as a
 * definition that names what this database does not have, is answered with its error.
 */
const PROBE = `
  create function pg_temp.pgstrata_print_of(statements pg_catalog.text[], path pg_catalog.text, query pg_catalog.text, names pg_catalog.text[]) returns pg_catalog.json language plpgsql as $$
    declare
      statement pg_catalog.text;
      print pg_catalog.json;
    begin
      begin
        perform pg_catalog.set_config('search_path', path, true);
        foreach statement in array statements loop
          execute statement;
        end loop;
        perform pg_catalog.set_config('search_path', '${PINNED_SEARCH_PATH}', true);
        execute query into print using names;
        raise exception using errcode = 'PS000';
      exception
        when sqlstate 'PS000' then return print;
        when others then return pg_catalog.json_build_object('code', sqlstate, 'error', sqlerrm);
      end;
    end $$`;

const PRINTS = `
  select pg_temp.pgstrata_print_of(array(select pg_catalog.json_array_elements_text(fact->'statements')), fact->>'searchPath', fact->>'query',
           array(select pg_catalog.json_array_elements_text(fact->'names'))) as print
    from pg_catalog.json_array_elements($1::pg_catalog.json) with ordinality as facts(fact, place) order by place`;

/**
 * As in an update: a function that returns the rows of a table may be older than a column of it. Publications
 * warn of logs that they do not have.
 */
const AS_IN_AN_UPDATE = `select pg_catalog.set_config('check_function_bodies', 'off', true),
  pg_catalog.set_config('client_min_messages', 'error', true)`;

/**
 * SQLSTATEs of a print that the server cannot read: a syntax error, an operator or function that there is
 * not.
 */
const UNREADABLE = new Set(["42601", "42883"]);

/** What came of making definitions again. */
export interface Settled {
  /** An entry for each text that settles in another form. */
  forms: Forms;
  /** Facts of which the server prints what it cannot read, with its message. */
  unreadable: { fact: Fact; message: string }[];
}

/**
 * Makes definitions from their own texts until they print alike, and tells in which form each settles.
 *
 * @param scratch has the objects; it is as before afterwards.
 * @param facts by whom they are held.
 * @param among facts of the same database.
 */
export async function settledForms(
  { pool }: Pick<ScratchDatabase, "pool">,
  facts: readonly Fact[],
  among: FactBase,
): Promise<Settled> {
  if (facts.length === 0) return { forms: {}, unreadable: [] };
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query(PRINT_ALIKE);
    await client.query(AS_IN_AN_UPDATE);
    await client.query(PROBE);
    return await inRounds(client, facts, among);
  } finally {
    await client.query("rollback").catch(() => {});
    client.release();
  }
}

async function inRounds(client: PoolClient, facts: readonly Fact[], among: FactBase): Promise<Settled> {
  /** The texts that each definition had, in their order. */
  const texts = new Map(facts.map((fact) => [fact, [definitionsOf(fact)]]));
  const unreadable: Settled["unreadable"] = [];
  let open = [...facts];
  for (let round = 0; round < MOST_ROUNDS && open.length > 0; round++) {
    const prints = await printsOf(
      client,
      open.map((fact) => withDefinitions(fact, texts.get(fact)?.at(-1) ?? {})),
      among,
    );
    open = open.filter((fact, n) => {
      const print = prints[n];
      const known = texts.get(fact);
      if (print === undefined || known === undefined) return false;
      if (print.error !== undefined && print.code !== undefined) {
        if (UNREADABLE.has(print.code)) unreadable.push({ fact, message: print.error });
        return false;
      }
      const isNew = !known.some((earlier) => isSame(earlier, print));
      if (isNew) known.push(print);
      return isNew;
    });
  }
  const forms: Forms = {};
  for (const [fact, known] of texts) {
    const settled = known.at(-1) ?? {};
    for (const [attribute, form] of Object.entries(settled)) {
      const others = known.flatMap((earlier) => earlier[attribute] ?? []).filter((text) => text !== form);
      if (others.length === 0) continue;
      const key = encodeId(fact.id);
      forms[key] = { ...forms[key], [attribute]: Object.fromEntries(others.map((text) => [text, form])) };
    }
  }
  return { forms, unreadable };
}

const NOTHING: Remaking = { statements: [], query: "select null", names: [] };

type Texts = Record<string, string>;

const isSame = (a: Texts, b: Texts): boolean => Object.entries(a).every(([attribute, text]) => b[attribute] === text);

/** What each fact's definitions are when they are made once more, or the error for which they cannot be. */
async function printsOf(client: PoolClient, facts: readonly Fact[], among: FactBase): Promise<(Texts | undefined)[]> {
  const remakings = facts.map((fact) => {
    const remaking = remakingOf(fact, fact.parent && among.get(fact.parent));
    return { ...(remaking ?? NOTHING), searchPath: searchPathOf(fact, among) };
  });
  const { rows } = await client.query<{ print: Texts | null }>(PRINTS, [JSON.stringify(remakings)]);
  return facts.map((fact, n) => {
    const print = rows[n]?.print;
    if (print === null || print === undefined) return undefined;
    if ("error" in print) return print;
    return Object.fromEntries(
      Object.keys(definitionsOf(fact)).flatMap((key) => (typeof print[key] === "string" ? [[key, print[key]]] : [])),
    );
  });
}
