/** What a lint finds, and what is like it and all right. */
export interface Fixture {
  /** SQL in a schema of its own that is at fault; statements one by one. */
  found: string[];
  /** What is found, within that schema; `%` stands for its name. */
  objects: string[];
  /** SQL in another schema that the lint leaves alone. */
  left: string[];
}

const TABLE = "create table t (id bigint primary key, owner text)";
const POLICY = "create policy p on t for select using (id > 0)";
const RLS = "alter table t enable row level security";
/** A table with row-level security and a policy, which all may read. */
const SECURED = [TABLE, RLS, POLICY];
const policy = (condition: string): string[] => [
  TABLE,
  RLS,
  `create policy p on t for select to pg_monitor using (${condition})`,
];
const PINNED = "set search_path = pg_catalog, pg_temp";
const definer = (rest: string, name = "f"): string =>
  `create function ${name}() returns int security definer ${rest} language sql as 'select 1'`;
const column = (type: string): string => `create table t (id bigint primary key, value ${type})`;
const LONG = "a".repeat(63);
const READER = "pg_monitor";

/** Conditions that are true for every row, and such as look like them. */
const ALWAYS = [
  "not false",
  "a is null or a is not null",
  "id is not null",
  "id = id",
  "coalesce(null, true)",
  "2 > 1",
  "not (a = 1 and false)",
  "case when a = 1 then true else 1 = 1 end",
  "(a = 1) is not null or a is null or true",
];
const SOMETIMES = [
  "a is not null",
  "a is null or b is not null",
  "a = 1 or not a = 1",
  "not (1 = 1)",
  "1 > 2",
  "id = a",
];

/** Conditions that are true for every row while a setting is missing, and such as are not. */
const USER = "current_setting('app.user', true)";
const UNSET = [
  `nullif(${USER}, '') is null or owner = ${USER}`,
  `coalesce(${USER}, '') = '' or owner = ${USER}`,
  `${USER} = '' or owner = ${USER}`,
  `owner = coalesce(nullif((select ${USER}), ''), owner)`,
  `(${USER}::bigint is null or id = ${USER}::bigint) and id > 0`,
  `case when ${USER} is null then true else owner = ${USER} end`,
];
const SET = [
  `owner = nullif(${USER}, '')`,
  `coalesce(${USER}, '') <> '' and owner = ${USER}`,
  `${USER} is null and owner = 'guest'`,
  `owner is null or owner = ${USER}`,
  `owner = coalesce(${USER}, 'guest')`,
];

export const FIXTURES: Readonly<Record<string, Fixture>> = {
  PGL101: {
    found: [
      ...SECURED,
      "create table open (id int primary key)",
      `grant select on open to ${READER}`,
      "create table by_column (id int primary key, a int)",
      `grant update (a) on by_column to ${READER}`,
    ],
    objects: ["%.by_column", "%.open"],
    left: [...SECURED, `grant select on t to ${READER}`, "create table own (id int primary key)"],
  },
  PGL102: { found: [TABLE, POLICY], objects: ["%.t"], left: SECURED },
  PGL103: { found: [TABLE, RLS], objects: ["%.t"], left: SECURED },
  PGL104: {
    found: [...SECURED, `create policy q on t to ${READER} using (owner = 'me')`],
    objects: ["%.t"],
    left: [
      ...SECURED,
      "create policy q on t for insert with check (id > 0)",
      "create policy r on t as restrictive using (id > 0)",
      `create policy s on t for update to ${READER} using (id > 0)`,
      "create policy u on t for update to pg_read_all_data using (id > 0)",
    ],
  },
  PGL105: {
    found: [
      ...policy("owner = current_setting('app.user')"),
      "create function me() returns text stable language sql return 'me'",
      "create policy q on t for insert with check (exists (select from t as o where o.owner = me()))",
    ],
    objects: ["p on %.t", "q on %.t"],
    left: [
      "create function mine(text) returns setof bigint stable language sql begin atomic select 1; end",
      "create table m (id bigint primary key, owner text)",
      ...policy(
        "owner = (select current_setting('app.user')::text) and exists (select from m where m.id = t.id and m.owner = (select current_setting('app.user'))) and id in (select mine from mine(current_setting('app.user')))",
      ),
    ],
  },
  PGL106: {
    found: [
      "create function may(text) returns bool stable language sql return $1 = 'me'",
      ...policy("id > 0 and may(owner)"),
    ],
    objects: ["p on %.t"],
    left: [
      "create function mine() returns setof text stable language sql begin atomic select 'me'; end",
      "create function plain(text) returns bool immutable language sql return $1 = 'me'",
      ...policy("owner in (select mine()) and plain(owner)"),
    ],
  },
  PGL107: {
    found: [
      TABLE,
      RLS,
      "create policy p on t using (true)",
      "create table u (id bigint primary key)",
      "create policy p on u for insert with check (1 = 1)",
      "create policy q on u for update using (id > 0) with check (true)",
      "create table v (id bigint primary key, a int)",
      ...ALWAYS.map((condition, n) => `create policy p${n} on v for delete using (${condition})`),
    ],
    objects: ["p on %.t", "p on %.u", ...ALWAYS.map((_, n) => `p${n} on %.v`), "q on %.u"],
    left: [
      TABLE,
      RLS,
      "create policy p on t for select using (true)",
      "create table u (id bigint primary key)",
      "create policy p on u for update using (true)",
      "create policy q on u as restrictive for all using (id > 0)",
      "create table v (id bigint primary key, a int, b int)",
      ...SOMETIMES.map((condition, n) => `create policy p${n} on v for delete using (${condition})`),
    ],
  },
  PGL108: {
    found: policy("(current_setting('app.jwt')::json -> 'user_metadata' ->> 'role') = 'admin'"),
    objects: ["p on %.t"],
    left: policy("(current_setting('app.jwt')::json -> 'app_metadata' ->> 'role') = 'admin'"),
  },
  PGL109: {
    found: [
      ...policy("current_setting('app.user', true) is null or owner = current_setting('app.user', true)"),
      "create policy q on t for update using ((select current_setting('app.user', true)) is null or id = 1)",
      ...UNSET.map((condition, n) => `create policy p${n} on t for delete using (${condition})`),
    ],
    objects: ["p on %.t", ...UNSET.map((_, n) => `p${n} on %.t`), "q on %.t"],
    left: [
      ...policy("current_setting('app.user', true) is not null and owner = current_setting('app.user', true)"),
      ...SET.map((condition, n) => `create policy p${n} on t for delete using (${condition})`),
    ],
  },
  PGL110: {
    found: policy("owner <> 'you' and owner = 'me'"),
    objects: ["%.t.owner"],
    left: [
      ...policy("owner = 'me'"),
      "create index on t (owner, id)",
      "alter table t add kind text",
      `create policy q on t for update to ${READER} using (kind <> 'theirs')`,
    ],
  },
  PGL111: {
    found: [
      ...SECURED,
      "create view v as select * from t",
      "create view w as select * from v",
      `grant select on w to ${READER}`,
      `grant select (id) on v to ${READER}`,
    ],
    objects: ["%.v", "%.w"],
    left: [
      ...SECURED,
      "create view v with (security_invoker = true) as select * from t",
      `grant select on v to ${READER}`,
      "create view own as select * from t",
      "create table plain (id int primary key)",
      "create view other as select * from plain",
      `grant select on other to ${READER}`,
    ],
  },
  PGL112: {
    found: [
      ...SECURED,
      "create materialized view m as select * from t",
      `grant select on m to ${READER}`,
      "create materialized view n as select 1 as a",
      "grant select on n to public",
      'grant select on n to "Lint reader"',
    ],
    objects: ["%.m", "%.n"],
    left: [
      ...SECURED,
      "create materialized view m as select * from t",
      "create materialized view n as select 1 as a",
      `grant select on n to ${READER}`,
    ],
  },
  PGL113: {
    found: [
      "create foreign data wrapper lint_wrapper",
      "create server lint_server foreign data wrapper lint_wrapper",
      "create foreign table f (id int) server lint_server",
      "grant select on f to public",
    ],
    objects: ["%.f"],
    left: ["create foreign table f (id int) server lint_server", `grant select on f to ${READER}`],
  },
  PGL201: {
    found: [
      definer(""),
      definer("set search_path = ''", "empty"),
      definer("set search_path = pg_temp, pg_catalog", "first"),
      definer("set search_path = pg_catalog, PG_TEMP, pg_temp", "twice"),
      definer(`set search_path = "a, pg_temp"`, "one"),
      definer(`set search_path = "Odd ""name", pg_catalog`, '"Not named"'),
    ],
    objects: ['%."Not named"()', "%.empty()", "%.f()", "%.first()", "%.one()", "%.twice()"],
    left: [
      definer(PINNED),
      definer("set search_path = pg_temp", "alone"),
      definer(`set search_path = "Odd, ""name", pg_catalog, pg_temp`, "quoted"),
      "create function g() returns int language sql as 'select 1'",
    ],
  },
  PGL202: {
    found: ["create function f() returns int language plpgsql as 'begin return 1; end'"],
    objects: ["%.f()"],
    left: [
      "create function f() returns int language plpgsql set search_path = '' as 'begin return 1; end'",
      "create function g() returns int language sql return 1",
    ],
  },
  PGL203: {
    found: [
      "create schema lint_open",
      `grant create on schema lint_open to ${READER}`,
      'create schema "lint ""Open"',
      `grant create on schema "lint ""Open" to ${READER}`,
      definer('set search_path = pg_catalog, lint_open, "lint ""Open", pg_temp'),
    ],
    objects: ["%.f()"],
    left: [definer(PINNED)],
  },
  PGL204: {
    found: [definer(PINNED)],
    objects: ["%.f()"],
    left: [
      definer(PINNED),
      "revoke execute on function f() from public",
      `create function g() returns trigger security definer language plpgsql ${PINNED} as 'begin return new; end'`,
    ],
  },
  PGL205: {
    found: [TABLE, "grant select on t to public", "create sequence s", "grant usage on sequence s to public"],
    objects: ["%.s", "%.t"],
    left: [TABLE, `grant select on t to ${READER}`],
  },
  PGL206: {
    found: ["grant create on schema % to public"],
    objects: ["%"],
    left: ["grant usage on schema % to public"],
  },
  PGL207: {
    found: ["alter default privileges in schema % grant select on tables to public"],
    objects: ["%"],
    left: [`alter default privileges in schema % grant select on tables to ${READER}`],
  },
  PGL208: {
    found: [
      'create table t (id bigint primary key, password text, "apiKey" varchar(40), smtp_password text, signing_key_value text, passphrase text)',
      'create table u (id bigint primary key, secret_key text, "SecretKey" text, "APIKey" text, encryption_key text, pass text, pin text, "pass word" text, "access-key" text, tokens text[], recovery_codes text[], totp_seed text, bearer text)',
      "create domain short as varchar(9)",
      "create table v (id bigint primary key, token short)",
      "create table w (primary key (id)) inherits (v)",
    ],
    objects: [
      '%.t."apiKey"',
      "%.t.passphrase",
      "%.t.password",
      "%.t.signing_key_value",
      "%.t.smtp_password",
      '%.u."APIKey"',
      '%.u."SecretKey"',
      '%.u."access-key"',
      '%.u."pass word"',
      "%.u.bearer",
      "%.u.encryption_key",
      "%.u.pass",
      "%.u.pin",
      "%.u.recovery_codes",
      "%.u.secret_key",
      "%.u.tokens",
      "%.u.totp_seed",
      "%.v.token",
    ],
    left: [
      "create table t (id bigint primary key, password_hash text, token_digest text, secret bytea, token_count int, password_changed_at timestamptz, tokenizer text, hashed_token text, public_api_key text)",
      "create table u (id bigint primary key, passenger text, bypass text, pinned text, compass text, pins_shown int, spin text, boarding_pass text, passport_country text, encryption_key_id text, keyboard text, primary_key text, seed text, passing text, recovery_code_hashes text[])",
    ],
  },
  PGL209: {
    found: [
      "create table t (id bigint primary key, ssn text)",
      "grant select on t to public",
      'create table u (id bigint primary key, password text, passphrase text, "SecretKey" text)',
      'grant select (password, passphrase, "SecretKey") on u to public',
    ],
    objects: ["%.t.ssn", '%.u."SecretKey"', "%.u.passphrase", "%.u.password"],
    left: [
      "create table t (id bigint primary key, ssn text)",
      `grant select on t to ${READER}`,
      "create table u (id bigint primary key, iban text)",
      "alter table u enable row level security",
      "grant select on u to public",
      "create table v (id bigint primary key, passenger text, pinned text)",
      "grant select on v to public",
    ],
  },
  PGL210: {
    found: ["create extension citext schema public"],
    objects: ["citext"],
    left: ["create extension hstore schema %"],
  },
  PGL301: {
    found: [
      TABLE,
      "create table u (id bigint primary key, a bigint constraint f references t, b bigint constraint g references t, c int)",
      "create index on u (c, a)",
      "create index on u (b) where c > 0",
      "create table parted (id bigint primary key, a bigint constraint h references t) partition by range (id)",
      "create table part partition of parted for values from (1) to (99)",
    ],
    objects: ["f on %.u", "g on %.u", "h on %.parted"],
    left: [
      TABLE,
      "create table u (id bigint primary key, a bigint references t, b bigint references t)",
      "create index on u (a, b)",
      "create index on u (b) where b is not null",
    ],
  },
  PGL302: {
    found: [
      TABLE,
      "create index first on t (owner)",
      "create index second on t (owner)",
      "create table u (id bigint constraint u_id unique)",
      "create index third on u (id)",
      "create unique index fourth on u (id)",
      "create table parted (id bigint primary key) partition by range (id)",
      "create table part partition of parted for values from (1) to (99)",
      "create index fifth on parted (id)",
    ],
    objects: ["%.fifth", "%.fourth", "%.second", "%.third"],
    left: [
      TABLE,
      "create index a on t (owner)",
      "create index b on t (owner desc)",
      "create index c on t (owner) where id > 0",
      "create index d on t (lower(owner))",
      "create index e on t (owner text_pattern_ops)",
      "create index f on t using hash (owner)",
    ],
  },
  PGL303: {
    found: [TABLE, "create index a on t (owner)", "create index b on t (owner, id)"],
    objects: ["%.a"],
    left: [
      "create table t (a int, b int)",
      "create unique index a on t (a)",
      "create index b on t (a, b)",
      "create index c on t (b)",
    ],
  },
  PGL304: {
    found: ["create table t (id int unique)"],
    objects: ["%.t"],
    left: [
      "create table t (id int, primary key (id)) partition by range (id)",
      "create table p partition of t for values from (1) to (9)",
    ],
  },
  PGL305: {
    found: [
      TABLE,
      "create index i on t (owner)",
      "update pg_index set indisvalid = false where indexrelid = 'i'::regclass",
    ],
    objects: ["%.i"],
    left: [TABLE, "create index i on t (owner)"],
  },
  PGL306: {
    found: ["create table t as select n from generate_series(1, 60000) n", "create index i on t (n)"],
    objects: ["%.i"],
    left: [
      "create table t as select n from generate_series(1, 60000) n",
      "create index i on t (n)",
      "set enable_seqscan = off",
      "select n, pg_stat_force_next_flush() from t where n = 5",
      "reset enable_seqscan",
      TABLE.replace("table t", "table small"),
      "create index on small (owner)",
    ],
  },
  PGL401: {
    found: [
      "create table t (id bigint primary key, at timestamp(3) default now(), till timetz, many timestamp[], hours timetz[])",
      "create domain moment as timestamp",
      "create domain moments as moment[]",
      'create table "Odd T" (id bigint primary key, "A b" moment, c moments)',
      'create table child (primary key (id)) inherits ("Odd T")',
    ],
    objects: ['%."Odd T"."A b"', '%."Odd T".c', "%.t.at", "%.t.hours", "%.t.many", "%.t.till"],
    left: [
      "create domain moment as timestamptz",
      "create table t (id bigint primary key, at timestamptz, many timestamptz[], moment moment)",
    ],
  },
  PGL402: {
    found: [column("char(3)"), "create table u (id bigint primary key, value char(3)[])"],
    objects: ["%.t.value", "%.u.value"],
    left: [column("text")],
  },
  PGL403: { found: [column("varchar(3)")], objects: ["%.t.value"], left: [column("varchar")] },
  PGL404: {
    found: [
      "create table t (id int generated always as identity primary key)",
      "create table u (id smallserial primary key)",
      'create table "Odd T" ("Id" serial primary key)',
      'alter table "Odd T" alter "Id" type bigint',
      "create sequence s as int",
      "create table v (id int primary key default nextval('s'))",
    ],
    objects: ['%."Odd T"."Id"', "%.t.id", "%.u.id", "%.v.id"],
    left: ["create table t (id bigint generated always as identity primary key, number int)"],
  },
  PGL405: {
    found: [
      "create table t (id bigserial primary key)",
      'create table "Odd T" ("Id" serial primary key)',
      "create table steps (id smallserial primary key)",
      "alter sequence steps_id_seq increment by -5 maxvalue 1000 minvalue -1000 start 50 restart",
      "create table set_by_hand (id serial primary key)",
      "insert into set_by_hand values (7)",
    ],
    objects: ['%."Odd T"."Id"', "%.set_by_hand.id", "%.steps.id", "%.t.id"],
    left: [
      "create table t (id bigint generated by default as identity primary key)",
      "create table parent (id bigserial primary key)",
      "create table child () inherits (parent)",
      "create table shared (id bigserial primary key, other bigint default nextval('shared_id_seq'))",
      "create table u (id int primary key)",
      "create sequence owned_only owned by u.id",
    ],
  },
  PGL406: {
    found: ["create domain d as text constraint short check (length(value) < 9)"],
    objects: ["%.d"],
    left: ["create domain d as text not null"],
  },
  PGL407: {
    found: [`create table ${LONG} (id int primary key)`],
    objects: [`%.${LONG}`],
    left: [`create table ${LONG.slice(1)} (id int constraint k primary key)`],
  },
  PGL408: { found: [column("regproc")], objects: ["%.t.value"], left: [column("regclass")] },
  PGL409: {
    found: [TABLE, "alter table t add constraint c check (id > 0) not valid"],
    objects: ["c on %.t"],
    left: [TABLE, "alter table t add constraint c check (id > 0) not valid", "alter table t validate constraint c"],
  },
  PGL410: { found: [column("money")], objects: ["%.t.value"], left: [column("numeric(12, 2)")] },
  PGL501: {
    found: [
      "create sequence s as smallint",
      "select setval('s', 30000)",
      "create table t (id int generated always as identity primary key)",
      "select setval('t_id_seq', 2000000000)",
      "create sequence down increment -1 minvalue -100 maxvalue -1",
      "select setval('down', -90)",
      "create table u (id int primary key)",
      "create sequence wide owned by u.id",
      "select setval('wide', 2000000000)",
    ],
    objects: ["%.down", "%.s", "%.t_id_seq", "%.wide"],
    left: [
      "create sequence s as smallint",
      "select setval('s', 20000)",
      "create sequence c as smallint cycle",
      "select setval('c', 30000)",
      "create sequence fresh as smallint",
    ],
  },
  PGL502: {
    found: ["create extension pg_trgm schema %", "update pg_extension set extversion = '0' where extname = 'pg_trgm'"],
    objects: ["pg_trgm"],
    left: ["create extension fuzzystrmatch schema %"],
  },
  PGL503: {
    found: [
      "create table t (id int primary key, up int constraint f references t)",
      "alter table t disable trigger all",
      "create function f() returns trigger language plpgsql as 'begin return new; end'",
      'create trigger "G h" before insert on t for each row execute function f()',
      'alter table t disable trigger "G h"',
    ],
    objects: ["%.t"],
    left: ["create table t (id int primary key, up int references t)"],
  },
  PGL504: {
    found: ["create table t (id int primary key) with (autovacuum_enabled = false)"],
    objects: ["%.t"],
    left: ["create table t (id int primary key) with (autovacuum_enabled = true, fillfactor = 90)"],
  },
  PGL505: {
    found: [
      "create table t as select n as id, repeat('x', 400) as filler from generate_series(1, 30000) n",
      "delete from t where mod(id, 5) <> 0",
      "vacuum analyze t",
    ],
    objects: ["%.t"],
    left: [
      "create table t as select n as id, repeat('x', 400) as filler from generate_series(1, 30000) n",
      "analyze t",
    ],
  },
  PGL506: {
    found: ["create unlogged table t (id int primary key)"],
    objects: ["%.t"],
    left: [TABLE],
  },
};
