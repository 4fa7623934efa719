/** Lints of privileges and of what runs with the rights of others. */
import { PINNED_SEARCH_PATH } from "../../core/searchPath.ts";
import type { Lint } from "../rule.ts";

/** Functions that run with their owner's rights. */
const DEFINER = "SELECT * FROM routine WHERE is_definer";

/** A path of trusted schemas. Temporary objects come first where it does not name them. */
const SAFE_PATH = `${PINNED_SEARCH_PATH}; -- with each name in it qualified`;

/** The path of a function with temporary objects at its end. */
const TEMPORARY_LAST = `(
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(u.name), ', ' ORDER BY u.place)
        FROM pg_catalog.unnest(CASE WHEN 'pg_catalog' = ANY (f.path) THEN '{}' ELSE '{pg_catalog}' END::pg_catalog.text[]
          || pg_catalog.array_remove(f.path, 'pg_temp') || '{pg_temp}'::pg_catalog.text[]) WITH ORDINALITY AS u (name, place))`;

/**
 * Whether a role can run a function `f` that may create temporary objects and does not have its owner's
 * rights anyway. One of a trigger is run by who writes to a table.
 */
const IS_REACHED_WITH_TEMPORARY = `EXISTS (
        SELECT FROM (
          SELECT a.grantee FROM pg_catalog.aclexplode(coalesce(f.acl, pg_catalog.acldefault('f', f.owner))) AS a WHERE NOT f.is_trigger
          UNION
          SELECT g.grantee FROM pg_catalog.pg_trigger AS t JOIN granted AS g ON g.relation = t.tgrelid
          WHERE t.tgfoid = f.oid AND g.privilege IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')) AS e
        CROSS JOIN (
          SELECT a.grantee FROM pg_catalog.pg_database AS d CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
          WHERE d.datname = pg_catalog.current_database() AND a.privilege_type = 'TEMPORARY') AS t
        WHERE (e.grantee = 0 OR NOT pg_catalog.pg_has_role(e.grantee, f.owner, 'MEMBER'))
          AND (t.grantee = 0 OR NOT pg_catalog.pg_has_role(t.grantee, f.owner, 'MEMBER'))
          AND (e.grantee = 0 OR t.grantee = 0 OR EXISTS (
            SELECT FROM pg_catalog.pg_roles AS r
            WHERE pg_catalog.pg_has_role(r.oid, e.grantee, 'MEMBER') AND pg_catalog.pg_has_role(r.oid, t.grantee, 'MEMBER')
              AND NOT pg_catalog.pg_has_role(r.oid, f.owner, 'MEMBER'))))`;

/** A name that says, as words, that the values open something. What is hashed or encrypted opens nothing. */
const SECRET_NAME = `'(^|_)(pass_?(word|phrase|code)|passwd|pwd|secret|token|bearer|jwt|totp|otp|(totp|otp|mfa|2fa)_?seed|seed_?phrase|mnemonic|(recovery|backup|scratch)_?code|(api|access|secret|encryption|decryption|private|signing|master|service_role|hmac|ssh|aes|account)_?key|credential|connection_string|dsn|pin_?code|(card|sim|login|user)_pin|(db|database|smtp|imap|ftp|sftp|ldap|http|proxy|mail|user|admin|root|login)_pass|^pin|^pass)s?(_?(value|text|plain|plaintext))?$'`;
const HARMLESS_NAME = `'(hash|hashed|digest|encrypted|cipher|masked|prefix|fingerprint|public)'`;
/** A name that says that the values are about a person, or are money's. */
const PERSONAL_NAME = `'(^|_)(ssn|social_security|passport|driver_?license|national_id|tax_?id|credit_?card|card_number|cvv|iban|bank_account|account_number|routing_number|health_record|medical_record|diagnosis|biometric|password_hash)(_|$)'`;
/** The name as words: `apiKey`, `API-Key` and `api key` are `api_key`. */
const WORDS = `pg_catalog.lower(pg_catalog.regexp_replace(pg_catalog.regexp_replace(pg_catalog.regexp_replace(c.name::pg_catalog.text,
        '([a-z0-9])([A-Z])', '\\1_\\2', 'g'), '([A-Z])([A-Z][a-z])', '\\1_\\2', 'g'), '[^[:alnum:]]+', '_', 'g'))`;
/** Of text, a domain over it, or an array of it. */
const IS_TEXT = "EXISTS (SELECT FROM pg_catalog.pg_type AS t WHERE t.oid = c.base AND t.typcategory = 'S')";

/** Whether an access list lets everyone read. */
const IS_READ = (acl: string): string =>
  `EXISTS (SELECT FROM pg_catalog.aclexplode(${acl}) AS a WHERE a.grantee = 0 AND a.privilege_type = 'SELECT')`;

export const ACCESS: readonly Lint[] = [
  {
    code: "PGL201",
    name: "definer-search-path",
    level: "ERROR",
    milder: "WARNING",
    why: "A function with its owner's rights finds what its caller puts in the way of its names, unless its search_path has trusted schemas and then pg_temp: temporary tables and types come first where it is not named.",
    find: `
      SELECT 'pg_proc' AS class, f.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation,
             CASE WHEN f.path IS NULL THEN 'SECURITY DEFINER without search_path'
                  WHEN 'pg_temp' = ANY (f.path) THEN 'SECURITY DEFINER, and schemas after pg_temp in its search_path'
                  ELSE 'SECURITY DEFINER, and no pg_temp in its search_path, which is searched first then' END AS found,
             pg_catalog.format('ALTER %s %s SET search_path = %s', f.kind, f.label, CASE WHEN f.path IS NULL THEN '${SAFE_PATH}' ELSE ${TEMPORARY_LAST} || ';' END) AS mend,
             f.path IS NOT NULL AND NOT ${IS_REACHED_WITH_TEMPORARY} AS is_milder
      FROM (${DEFINER}) AS f WHERE f.path[pg_catalog.cardinality(f.path)] IS DISTINCT FROM 'pg_temp' OR pg_catalog.array_position(f.path, 'pg_temp') < pg_catalog.cardinality(f.path)`,
  },
  {
    code: "PGL202",
    name: "search-path",
    level: "INFO",
    why: "The names in a function mean what the session's search_path says, unless it is pinned or the body is parsed when it is created.",
    find: `
      SELECT 'pg_proc' AS class, f.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation, 'search_path is not pinned' AS found,
             pg_catalog.format('ALTER %s %s SET search_path = ${SAFE_PATH}', f.kind, f.label) AS mend
      FROM routine AS f
      WHERE NOT f.is_definer AND NOT f.is_parsed AND f.language NOT IN ('c', 'internal') AND f.path IS NULL`,
  },
  {
    code: "PGL203",
    name: "definer-open-schema",
    level: "ERROR",
    why: "A function with its owner's rights looks for names in a schema in which others may create them.",
    find: `
      SELECT 'pg_proc' AS class, f.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation,
             pg_catalog.format('search_path has schema %s, in which others than its owner may create', pg_catalog.string_agg(pg_catalog.quote_ident(n.nspname::pg_catalog.text), ', ' ORDER BY n.nspname)) AS found,
             pg_catalog.format('ALTER %s %s SET search_path = ${SAFE_PATH}', f.kind, f.label) AS mend
      FROM (${DEFINER}) AS f
      -- "$user" is the function's owner.
      JOIN pg_catalog.pg_namespace AS n ON n.nspname::pg_catalog.text = ANY (pg_catalog.array_replace(f.path, '$user', pg_catalog.pg_get_userbyid(f.owner)::pg_catalog.text))
      WHERE EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) AS a WHERE a.privilege_type = 'CREATE' AND a.grantee NOT IN (n.nspowner, f.owner))
      GROUP BY f.oid, f.kind, f.label`,
  },
  {
    code: "PGL204",
    name: "definer-for-public",
    level: "WARNING",
    why: "Everyone may call a new function; one with its owner's rights hands these to every role of the database.",
    find: `
      SELECT 'pg_proc' AS class, f.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation, 'SECURITY DEFINER, and PUBLIC may call it' AS found,
             pg_catalog.format('REVOKE EXECUTE ON %s %s FROM PUBLIC;', f.kind, f.label) AS mend
      FROM (${DEFINER}) AS f
      WHERE NOT f.is_trigger
        AND EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(f.acl, pg_catalog.acldefault('f', f.owner))) AS a WHERE a.grantee = 0)`,
  },
  {
    code: "PGL205",
    name: "public-grant",
    level: "WARNING",
    why: "What PUBLIC may do, every role may do that can connect, also one that is made later.",
    find: `
      SELECT 'pg_class' AS class, r.oid AS object, 0 AS part, r.oid AS relation,
             pg_catalog.format('PUBLIC has %s', pg_catalog.string_agg(DISTINCT g.privilege, ', ')) AS found,
             pg_catalog.format('REVOKE ALL ON %s%s FROM PUBLIC;', CASE r.kind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END, r.label) AS mend
      FROM relation AS r JOIN granted AS g ON g.relation = r.oid WHERE g.grantee = 0 GROUP BY r.oid, r.kind, r.label`,
  },
  {
    code: "PGL206",
    name: "public-create",
    level: "ERROR",
    why: "Where everyone may create objects, everyone may put theirs in the way of a name that others call.",
    find: `
      SELECT 'pg_namespace' AS class, m.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation, 'PUBLIC may create objects in it' AS found,
             pg_catalog.format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', m.name) AS mend
      FROM managed AS m WHERE EXISTS (SELECT FROM pg_catalog.aclexplode(m.acl) AS a WHERE a.grantee = 0 AND a.privilege_type = 'CREATE')`,
  },
  {
    code: "PGL207",
    name: "public-default",
    level: "WARNING",
    why: "A default privilege gives PUBLIC every table or sequence that is made from then on.",
    find: `
      SELECT 'pg_namespace' AS class, m.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation,
             pg_catalog.format('PUBLIC gets %s on each new %s of %s', pg_catalog.string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), CASE d.defaclobjtype WHEN 'S' THEN 'sequence' ELSE 'table' END, pg_catalog.pg_get_userbyid(d.defaclrole)) AS found,
             pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I REVOKE ALL ON %s FROM PUBLIC;', pg_catalog.pg_get_userbyid(d.defaclrole), m.name, CASE d.defaclobjtype WHEN 'S' THEN 'SEQUENCES' ELSE 'TABLES' END) AS mend
      FROM pg_catalog.pg_default_acl AS d JOIN managed AS m ON m.oid = d.defaclnamespace
      CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS a
      WHERE a.grantee = 0 AND d.defaclobjtype IN ('r', 'S') GROUP BY m.oid, m.name, d.defaclobjtype, d.defaclrole`,
  },
  {
    code: "PGL208",
    name: "plain-secret",
    level: "WARNING",
    why: "A secret in a plain column is in each dump, replica and query log, and opens another system for all who may read the table.",
    find: `
      SELECT 'pg_class' AS class, c.relation AS object, c.number::pg_catalog.int4 AS part, c.relation, 'by its name a secret, kept as it is' AS found,
             pg_catalog.format('ALTER TABLE %s RENAME COLUMN %I TO %I; -- once it holds a hash or a ciphertext', c.label, c.name, c.name || '_encrypted') AS mend
      FROM own_column AS c WHERE NOT c.is_inherited AND ${IS_TEXT} AND ${WORDS} ~ ${SECRET_NAME} AND ${WORDS} !~ ${HARMLESS_NAME}`,
  },
  {
    code: "PGL209",
    name: "sensitive-column-exposed",
    level: "ERROR",
    why: "Everyone may read a column that by its name is a secret or about a person.",
    find: `
      SELECT 'pg_class' AS class, c.relation AS object, c.number::pg_catalog.int4 AS part, c.relation, 'by its name sensitive; PUBLIC may read it, without row-level security' AS found,
             pg_catalog.format('REVOKE SELECT%s ON %s FROM PUBLIC;', CASE WHEN NOT ${IS_READ("r.acl")} THEN pg_catalog.format(' (%I)', c.name) END, c.label) AS mend
      FROM own_column AS c JOIN relation AS r ON r.oid = c.relation
      WHERE NOT c.has_rls AND (${WORDS} ~ ${PERSONAL_NAME} OR (${WORDS} ~ ${SECRET_NAME} AND ${WORDS} !~ ${HARMLESS_NAME}))
        AND (${IS_READ("r.acl")} OR ${IS_READ("c.acl")})`,
  },
  {
    code: "PGL210",
    name: "extension-in-public",
    level: "WARNING",
    why: "An extension in schema public mixes its functions with the user's own, and stands in the path of every session.",
    find: `
      SELECT 'pg_extension' AS class, e.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation, 'installed in schema public' AS found,
             pg_catalog.format(CASE WHEN e.extrelocatable THEN 'CREATE SCHEMA IF NOT EXISTS extensions; ALTER EXTENSION %I SET SCHEMA extensions;'
               ELSE 'CREATE SCHEMA IF NOT EXISTS extensions; DROP EXTENSION %1$I; CREATE EXTENSION %1$I SCHEMA extensions;' END, e.extname) AS mend
      FROM pg_catalog.pg_extension AS e JOIN managed AS m ON m.oid = e.extnamespace WHERE m.name = 'public'`,
  },
];
