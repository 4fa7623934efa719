/** `CREATE STATISTICS`. How they are read and planned is left to `objects.ts` and `plan/objectRules.ts`. */
import { hasOwn, type ObjectKind, SELF, text } from "./kind.ts";

export const statistics: ObjectKind = {
  name: "statistics object",
  sql: "STATISTICS",
  isThere: hasOwn("pg_statistic_ext"),
  query: `
    select 'statistics object', 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, o.oid, o.stxowner, ${SELF},
           pg_catalog.json_build_object('definition', pg_catalog.pg_get_statisticsobjdef(o.oid), 'target', nullif(o.stxstattarget, -1))
      from pg_catalog.pg_statistic_ext o`,
  create: (key, { definition, target }) => [
    text(definition),
    ...(typeof target === "number" ? [`ALTER STATISTICS ${key} SET STATISTICS ${target}`] : []),
  ],
  alter: { target: (key, _, to) => [`ALTER STATISTICS ${key} SET STATISTICS ${typeof to === "number" ? to : -1}`] },
  recreate: ["definition"],
  definitions: ["definition"],
};
