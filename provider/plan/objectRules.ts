/**
 * What the planner has to know of the kinds of objects in `catalog/kinds/`: their SQL, and which changes are
 * made in place.
 */
import { type Alter, asObject, commentOn, type ObjectKind } from "../catalog/kinds/kind.ts";
import { OBJECT_KINDS } from "../catalog/kinds/kinds.ts";
import type { Fact, PayloadValue, PlanOptions, StableId } from "../catalog/pgDelta.ts";
import { quoteIdent } from "../catalog/quote.ts";

type RuleIndex = NonNullable<PlanOptions["intentRules"]>;
type Rules = RuleIndex extends ReadonlyMap<string, infer One> ? One : never;
type Spec = ReturnType<Rules["drop"]>;
type View = Parameters<Rules["create"]>[1];

/** The library's key of rules for ids that are open to others. */
const ruleKey = (kind: string): string => `pg_catalog\x00${kind}`;

/** Before what may use an object by its name alone; what is on others comes after all of them. */
const WEIGHT = { object: 3, part: 19 } as const;

export function objectRules(majorVersion: number): RuleIndex {
  return new Map([...OBJECT_KINDS.values()].map((kind) => [ruleKey(kind.name), rulesOf(kind, majorVersion)]));
}

function rulesOf(kind: ObjectKind, majorVersion: number): Rules {
  const word = kind.sql ?? kind.name.toUpperCase();
  const spec = (sql: string, { id, payload }: Fact, view?: View): Spec => ({
    sql,
    consumes: view === undefined ? [] : (kind.needs?.(keyOf(id), payload) ?? []).filter((needed) => view.get(needed)),
    lockClass: kind.lock ?? "none",
    rewriteRisk: kind.rewrites ?? false,
  });
  const owning = (key: string, owner: unknown): string =>
    `ALTER ${word} ${key} OWNER TO ${typeof owner === "string" ? quoteIdent(owner) : "CURRENT_USER"}`;
  const inPlace: Record<string, Alter> = {
    ...kind.alter,
    ...(kind.base === undefined ? { comment: commenting(word), owner: (key, _, to) => [owning(key, to)] } : {}),
  };
  return {
    weight: kind.base === undefined ? WEIGHT.object : WEIGHT.part,
    metadata: kind.base !== undefined,
    create: (fact, view) => {
      const { payload } = fact;
      const key = keyOf(fact.id);
      const statements = [
        ...kind.create(key, payload),
        ...(typeof payload.owner === "string" ? [owning(key, payload.owner)] : []),
        ...(typeof payload.comment === "string" ? [commentOn(`${word} ${key}`, payload.comment)] : []),
      ];
      return statements.map((sql) => spec(sql, fact, view));
    },
    drop: (fact) => spec(kind.drop?.(keyOf(fact.id), fact.payload) ?? `DROP ${word} ${keyOf(fact.id)}`, fact),
    attributes: {
      ...Object.fromEntries((kind.recreate ?? []).map((attribute) => [attribute, "replace" as const])),
      ...Object.fromEntries(
        Object.entries(inPlace).map(([attribute, alter]) => {
          const changes = ({ id, payload }: Fact, from: PayloadValue, to: PayloadValue): string[] | undefined =>
            alter(keyOf(id), from, to, { payload, majorVersion });
          return [
            attribute,
            {
              replaceWhen: (from: PayloadValue, to: PayloadValue, fact: Fact) => changes(fact, from, to) === undefined,
              alter: (fact: Fact, from: PayloadValue, to: PayloadValue, view: View) =>
                (changes(fact, from, to) ?? []).map((sql) => spec(sql, fact, view)),
            },
          ];
        }),
      ),
    },
  };
}

const keyOf = (id: StableId): string => asObject(id)?.key ?? "";

const commenting =
  (word: string): Alter =>
  (key, _, to) => [commentOn(`${word} ${key}`, to)];
