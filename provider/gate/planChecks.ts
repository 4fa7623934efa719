/** The built-in checks that an update needs in any case, asked in one query beside the probes. */
import type { ServerFacts } from "../database/target.ts";
import type { Measuring } from "./measure.ts";
import { type CheckResult, check } from "./results.ts";
import type { GateSettings } from "./settings.ts";

/** The newest major version that tests have run on. */
const NEWEST_MAJOR = 18;

const FACTS = `
  with wanted as (select e.name, x.installed_version is not null as installed, x.name is not null as available,
                         coalesce(v.trusted and pg_catalog.has_database_privilege(current_user, pg_catalog.current_database(), 'CREATE')
                                  or not v.superuser or s.rolsuper, false) as allowed
                    from (select n as name from pg_catalog.unnest($2::pg_catalog.text[]) n) e
                    cross join (select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) current_user) s
                    left join pg_catalog.pg_available_extensions x on x.name::pg_catalog.text operator(pg_catalog.=) e.name
                    left join pg_catalog.pg_available_extension_versions v
                      on v.name operator(pg_catalog.=) x.name and v.version operator(pg_catalog.=) x.default_version)
  select pg_catalog.has_database_privilege(current_user, pg_catalog.current_database(), 'CREATE') as "createsSchemas",
         pg_catalog.has_database_privilege(current_user, pg_catalog.current_database(), 'TEMPORARY') as "createsTemporary",
         (select rolsuper or rolcreaterole from pg_catalog.pg_roles where rolname operator(pg_catalog.=) current_user) as "createsRoles",
         array(select s from pg_catalog.unnest($1::pg_catalog.text[]) s
                where not exists (select from pg_catalog.pg_namespace where nspname operator(pg_catalog.=) s)) as "missingSchemas",
         array(select nspname::pg_catalog.text from pg_catalog.pg_namespace
                where nspname::pg_catalog.text operator(pg_catalog.=) any ($1::pg_catalog.text[])
                  and not pg_catalog.has_schema_privilege(oid, 'CREATE, USAGE') order by 1) as "closedSchemas",
         array(select pg_catalog.format('%I.%I', n.nspname, c.relname)
                 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
                where n.nspname::pg_catalog.text operator(pg_catalog.=) any ($1::pg_catalog.text[])
                  and c.relkind in ('r', 'p', 'v', 'm')
                  and not pg_catalog.pg_has_role(c.relowner, 'USAGE') order by 1) as "foreignTables",
         array(select name from wanted where not installed and not available order by 1) as "unavailableExtensions",
         array(select name from wanted where not installed and available and not allowed order by 1) as "closedExtensions",
         array(select r from pg_catalog.unnest($3::pg_catalog.text[]) r
                where not exists (select from pg_catalog.pg_roles where rolname operator(pg_catalog.=) r)) as "missingRoles",
         array(select r from pg_catalog.unnest($4::pg_catalog.text[]) r
                where not exists (select from pg_catalog.pg_roles where rolname operator(pg_catalog.=) r)) as "rolesToCreate"`;

interface Facts {
  createsSchemas: boolean;
  createsTemporary: boolean;
  createsRoles: boolean;
  missingSchemas: string[];
  closedSchemas: string[];
  foreignTables: string[];
  unavailableExtensions: string[];
  closedExtensions: string[];
  missingRoles: string[];
  rolesToCreate: string[];
}

const NAMES = ["privileges", "extensions", "roles"];

export async function planChecks(measuring: Measuring, server: ServerFacts): Promise<CheckResult[]> {
  const { settings } = measuring;
  const { schemas, extensions, roles, createdRoles } = settings;
  const probes = measuring.probe(settings.thresholds.probes);
  const rest = measuring.ask<Facts>("plan", NAMES, FACTS, [schemas, extensions, roles, createdRoles], (facts) => [
    privileges(facts, server),
    extensionsCheck(facts, settings),
    rolesCheck(facts, settings, server),
  ]);
  return [versionCheck(server), connection(await probes, settings), ...(await rest)];
}

function versionCheck({ major, version }: ServerFacts): CheckResult {
  return check("plan", "server-version", {
    isGood: major <= NEWEST_MAJOR,
    otherwise: "WARNING",
    measured: version,
    // An older one has been refused by the connection.
    expected: `15 to ${NEWEST_MAJOR}`,
    mend: `Update pgstrata to a version that was tested with PostgreSQL ${major}.`,
  });
}

/** @param tookMs of each probe. */
function connection(tookMs: readonly number[], { thresholds: { latencyMs, jitterMs } }: GateSettings): CheckResult {
  const sorted = [...tookMs].sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const jitter = (sorted.at(-1) ?? 0) - (sorted[0] ?? 0);
  return check("plan", "connection", {
    isGood: median <= latencyMs && jitter <= jitterMs,
    otherwise: "WARNING",
    measured: `${tookMs.length} probes, median ${median.toFixed(1)} ms, jitter ${jitter.toFixed(1)} ms`,
    expected: `median up to ${latencyMs} ms, jitter up to ${jitterMs} ms`,
    mend: "Run from a machine that is nearer to the server, or wait until its load is lower.",
  });
}

function privileges(facts: Facts, { role }: ServerFacts): CheckResult {
  const { missingSchemas, closedSchemas, foreignTables } = facts;
  const name = JSON.stringify(role);
  const faults: [string, string][] = [];
  if (missingSchemas.length > 0 && !facts.createsSchemas)
    faults.push([
      `no CREATE on the database for schema ${missingSchemas.join(", ")}`,
      `GRANT CREATE ON DATABASE … TO ${name};`,
    ]);
  if (closedSchemas.length > 0)
    faults.push([
      `not both CREATE and USAGE on schema ${closedSchemas.join(", ")}`,
      `GRANT CREATE, USAGE ON SCHEMA ${closedSchemas.join(", ")} TO ${name};`,
    ]);
  if (!facts.createsTemporary)
    faults.push(["no TEMPORARY on the database", `GRANT TEMPORARY ON DATABASE … TO ${name};`]);
  const result = check("plan", "privileges", {
    isGood: faults.length === 0,
    measured:
      faults.length === 0 ? `role ${role} has them` : `role ${role}: ${faults.map(([found]) => found).join("; ")}`,
    expected: "CREATE and USAGE on the schemas, CREATE where one is missing, TEMPORARY",
    mend: faults.map(([, mend]) => mend).join(" "),
  });
  if (faults.length > 0 || foreignTables.length === 0) return result;
  const some = foreignTables.slice(0, 3).join(", ");
  return {
    ...result,
    status: "WARNING",
    measured: `role ${role} does not own ${foreignTables.length} of the tables and views there, such as ${some}`,
    expected: "that it owns what a plan alters",
    mend: `GRANT the role that owns them TO ${name}; a plan that alters one of them is refused otherwise.`,
  };
}

function extensionsCheck(facts: Facts, { extensions }: GateSettings): CheckResult {
  const { unavailableExtensions, closedExtensions } = facts;
  const missing = [...unavailableExtensions, ...closedExtensions];
  const first = missing[0] ?? "";
  return check("plan", "extensions", {
    isGood: missing.length === 0,
    measured: missing.length === 0 ? listed(extensions, "none needed") : `cannot be had: ${missing.join(", ")}`,
    expected: listed(extensions, "none"),
    mend: unavailableExtensions.includes(first)
      ? `Install the package of ${first} on the server.`
      : `As a superuser: CREATE EXTENSION ${JSON.stringify(first)};`,
  });
}

function rolesCheck(facts: Facts, { roles, createdRoles, isFirst }: GateSettings, server: ServerFacts): CheckResult {
  const { missingRoles, rolesToCreate, createsRoles } = facts;
  const isClosed = rolesToCreate.length > 0 && !createsRoles;
  const missing = [...missingRoles, ...(isClosed ? rolesToCreate : [])];
  const made = isClosed ? [] : rolesToCreate;
  const present = createdRoles.filter((role) => !rolesToCreate.includes(role));
  if (isFirst && missing.length === 0 && present.length > 0)
    return check("plan", "roles", {
      isGood: false,
      otherwise: "WARNING",
      measured: `${present.join(", ")} exist already`,
      expected: "that the first update of this stack creates them",
      mend: "pulumi config set manageRoles false, which takes them as they are. Otherwise the update fails at them.",
    });
  return check("plan", "roles", {
    isGood: missing.length === 0,
    measured:
      missing.length > 0
        ? `missing: ${missing.join(", ")}`
        : made.length > 0
          ? `this update creates ${made.join(", ")}`
          : "all exist",
    expected: listed([...new Set([...roles, ...createdRoles])], "none needed"),
    mend: isClosed
      ? `ALTER ROLE ${JSON.stringify(server.role)} CREATEROLE; or create them: CREATE ROLE ${missing.join("; CREATE ROLE ")};`
      : `CREATE ROLE ${missing.join("; CREATE ROLE ")};`,
  });
}

const listed = (names: readonly string[], none: string): string => (names.length === 0 ? none : names.join(", "));
