/**
 * A kind of object that the library has no facts for: how it is read, and the SQL that makes, changes and
 * drops one. `objects.ts` reads them all, `plan/objectRules.ts` hands their SQL to the planner.
 */
import type { Payload, PayloadValue, StableId } from "../pgDelta.ts";
import { quoteLiteral } from "../quote.ts";

/** Where an object that is a part of another one hangs. */
export type Base = "table" | "column" | "index" | "view" | "materializedView" | "type" | "any";

export interface ObjectKind {
  /**
   * What its facts and messages call it. Of an object of its own, what the server calls it
   * (`pg_identify_object`).
   */
  name: string;
  /** Of a part of another object. Default: it is one of its own. */
  base?: Base;
  /**
   * Answers with `kind, classid, objid, owner, key, on_class, on_id, on_sub, payload`. An object of its own
   * leaves `key` and `on_…` to the server's identity and to its schema; a part names what it is on, and no
   * `objid`.
   */
  query: string;
  /** Whether a database has any: SQL of a condition that is cheap, and may be true without need. */
  isThere: string;
  /** As SQL calls the kind in COMMENT, DROP and OWNER TO. Default: its name. */
  sql?: string;
  create(key: string, payload: Payload): string[];
  /** Default: `DROP`. */
  drop?(key: string, payload: Payload): string;
  /**
   * How attributes change in place, given the server's major version; undefined where the object has to be
   * recreated.
   */
  alter?: Record<string, Alter>;
  /** Attributes for which it always has to be. */
  recreate?: readonly string[];
  /** Attributes that hold definitions, see `catalog/definitions.ts`. */
  definitions?: readonly string[];
  /** What it needs beside what it is on and what the server notes of it. */
  needs?(key: string, payload: Payload): StableId[];
  /** It copies the rows of its table. */
  rewrites?: boolean;
  /** The lock on its table. Default: none that anybody waits for. */
  lock?: "accessExclusive" | "shareUpdateExclusive";
}

export type Alter = (
  key: string,
  from: PayloadValue,
  to: PayloadValue,
  context: { payload: Payload; majorVersion: number },
) => string[] | undefined;

export type ObjectId = Extract<StableId, { kind: "extensionIntent" }>;

/** The library's one kind of id that is open to others; its own use of it is for extensions. */
const OURS = "pg_catalog";

export const objectId = (kind: string, key: string): ObjectId => ({
  kind: "extensionIntent",
  ext: OURS,
  intentKind: kind,
  key,
});

export const asObject = (id: StableId | undefined): ObjectId | undefined =>
  id?.kind === "extensionIntent" && id.ext === OURS ? id : undefined;

/** The parts of a name as the server prints it: `a."b.c"` → `a`, `b.c`. */
export function splitName(name: string): string[] {
  return [...name.matchAll(/"((?:[^"]|"")+)"|([^."]+)/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
  );
}

export const text = (value: PayloadValue | undefined): string => (typeof value === "string" ? value : "");

export const texts = (value: PayloadValue | undefined): string[] => (Array.isArray(value) ? value.map(String) : []);

/** `IS NULL` where there is none. */
export const commentOn = (object: string, comment: PayloadValue | undefined): string =>
  `COMMENT ON ${object} IS ${typeof comment === "string" ? quoteLiteral(comment) : "NULL"}`;

/** Oids below are of objects that each database has from the beginning. */
export const FIRST_OWN_OID = 16_384;

/** Whether a catalog has an object that no extension brought. */
export const hasOwn = (catalog: string): string =>
  `exists (select from pg_catalog.${catalog} o where o.oid >= ${FIRST_OWN_OID} and not exists (select from pg_catalog.pg_depend m
     where m.classid = 'pg_catalog.${catalog}'::pg_catalog.regclass and m.objid = o.oid and m.deptype in ('e', 'i')))`;

/** Of an object of its own: no key, nothing that it is on. */
export const SELF = "null::pg_catalog.text, 0::pg_catalog.oid, 0::pg_catalog.oid, 0";

/** Of a part: it is no object to the server, and has no owner. */
export const PART = "0::pg_catalog.oid, 0::pg_catalog.oid, 0::pg_catalog.oid";
