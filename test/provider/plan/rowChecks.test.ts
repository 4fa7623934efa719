import { SOME, T, testTrials } from "./rowTrials.ts";

testTrials({
  "NOT NULL": {
    before: T,
    after: "create table app.t (id int primary key, v int not null, w text);",
    rows: SOME,
    found: ["1 row of app.t without a value in v"],
    keys: ["3"],
    mend: "update app.t set v = 0 where v is null",
  },
  "NOT NULL of a composite column, whose fields may all be empty": {
    before: "create type app.pair as (a int, b int); create table app.t (id int primary key, p app.pair);",
    after: "create type app.pair as (a int, b int); create table app.t (id int primary key, p app.pair not null);",
    rows: "insert into app.t values (1, row(null, null)), (2, null), (3, row(1, 2));",
    found: ["1 row of app.t without a value in p"],
    keys: ["2"],
    mend: "delete from app.t where id = 2",
  },
  "a new column without a default": {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, n int not null);",
    rows: SOME,
    found: ["6 rows of app.t without a value for the new column n"],
    mend: "delete from app.t",
  },
  "a new column of a domain that demands a value": {
    before: `create domain app.d as int not null; ${T}`,
    after: "create domain app.d as int not null; create table app.t (id int primary key, v int, w text, n app.d);",
    rows: SOME,
    found: ["6 rows of app.t without a value for the new column n"],
    mend: "delete from app.t",
  },
  "a new column that is computed": {
    before: T,
    after:
      "create table app.t (id int primary key, v int, w text, n int not null generated always as (10 / (v - 1)) stored);",
    rows: SOME,
    found: ["1 row of app.t for which n cannot be computed"],
    mend: "update app.t set v = 5",
  },
  CHECK: {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, check (v < 5));",
    rows: SOME,
    found: ["2 rows of app.t that CHECK ((v < 5)) refuses"],
    keys: ["5", "6"],
    mend: "update app.t set v = 4 where v > 4",
  },
  "CHECK that is validated": {
    before: `${T} alter table app.t add constraint c check (v < 5) not valid;`,
    after: "create table app.t (id int primary key, v int, w text, constraint c check (v < 5));",
    rows: "alter table app.t drop constraint c; insert into app.t values (1, 9, ''); alter table app.t add constraint c check (v < 5) not valid;",
    found: ["1 row of app.t that CHECK ((v < 5)) refuses"],
    mend: "delete from app.t",
  },
  "CHECK without those that inherit": {
    before: "create table app.t (id int primary key, v int); create table app.u () inherits (app.t);",
    after:
      "create table app.t (id int primary key, v int, check (v < 5) no inherit); create table app.u () inherits (app.t);",
    rows: "insert into app.t values (1, 9); insert into app.u values (2, 9);",
    found: ["1 row of app.t that CHECK ((v < 5)) refuses"],
    keys: ["1"],
    mend: "delete from only app.t",
  },
  "CHECK that some rows make fail": {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, check (1 / v > -1));",
    rows: "insert into app.t values (1, 0, '');",
    found: ["at least 1 row of app.t that CHECK (((1 / v) > '-1'::integer)) refuses"],
    mend: "delete from app.t",
  },
  "CHECK of a new column with a default": {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, n int default 3, check (n > v));",
    rows: SOME,
    found: ["3 rows of app.t that CHECK ((n > v)) refuses"],
    keys: ["4", "5", "6"],
    mend: "update app.t set v = 1",
  },
  UNIQUE: {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, unique (w, v));",
    rows: `${SOME} insert into app.t values (11, 1, 'w1'), (12, null, 'w3');`,
    found: ["1 value of (w, v) in more than one row of app.t"],
    keys: ["1", "11"],
    mend: "delete from app.t where id = 11",
  },
  "UNIQUE NULLS NOT DISTINCT": {
    before: T,
    after: "create table app.t (id int primary key, v int, w text, unique nulls not distinct (v));",
    rows: "insert into app.t values (1, null), (2, null), (3, 3);",
    found: ["1 value of (v) in more than one row of app.t"],
    keys: ["1", "2"],
    mend: "delete from app.t where id = 2",
  },
  "UNIQUE, without those that inherit": {
    before: "create table app.t (id int, v int); create table app.u () inherits (app.t);",
    after: "create table app.t (id int, v int unique deferrable); create table app.u () inherits (app.t);",
    rows: "insert into app.t values (1, 1); insert into app.u values (1, 1);",
  },
  "a primary key of a table without one": {
    before: "create table app.t (id int not null, v int);",
    after: "create table app.t (id int primary key, v int);",
    rows: "insert into app.t values (1), (1), (2);",
    found: ["1 value of (id) in more than one row of app.t"],
    keys: ["(0,1)", "(0,2)"],
    mend: "delete from app.t where id = 1",
  },
  "a unique index of expressions, for some rows": {
    before: T,
    after: `${T} create unique index i on app.t (lower(w) text_pattern_ops desc, (v % 2)) where v > 1;`,
    rows: "insert into app.t values (1, 2, 'A'), (2, 4, 'a'), (3, 0, 'a'), (4, 3, 'a');",
    found: ["1 value of (lower(w), ((v % 2))) in more than one row of app.t"],
    keys: ["1", "2"],
    mend: "delete from app.t where id = 1",
  },
  "a unique index with a collation": {
    before:
      "create collation app.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); create table app.t (id int primary key, w text);",
    after:
      "create collation app.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false); create table app.t (id int primary key, w text); create unique index i on app.t (w collate app.ci);",
    rows: "insert into app.t values (1, 'A'), (2, 'a');",
    found: ["1 value of (w COLLATE app.ci) in more than one row of app.t"],
    keys: ["1", "2"],
    mend: "delete from app.t where id = 1",
  },
  "a unique index of a partitioned table": {
    before:
      "create table app.t (id int primary key, v int) partition by hash (id); create table app.a partition of app.t for values with (modulus 1, remainder 0);",
    after:
      "create table app.t (id int primary key, v int, unique (v, id)) partition by hash (id); create table app.a partition of app.t for values with (modulus 1, remainder 0);",
    rows: "insert into app.t values (1, 1), (2, 1);",
  },
  "an exclusion constraint": {
    before: "create table app.t (id int primary key, r int4range);",
    after: "create table app.t (id int primary key, r int4range, exclude using gist (r with &&) where (id > 1));",
    rows: "insert into app.t values (1, '[1,9)'), (2, '[1,3)'), (3, '[2,5)'), (4, '[7,9)');",
    found: ["2 rows of app.t in conflict with another one by (r)"],
    keys: ["2", "3"],
    mend: "delete from app.t where id = 2",
  },
  "a key without overlaps": {
    since: 18,
    before: "create extension btree_gist; create table app.t (id int, r int4range);",
    after: "create extension btree_gist; create table app.t (id int, r int4range, unique (id, r without overlaps));",
    rows: "insert into app.t values (1, '[1,9)'), (1, '[1,3)'), (2, '[2,5)'), (3, 'empty');",
    found: ["3 rows of app.t in conflict with another one by (id, r)"],
    keys: ["(0,1)", "(0,2)", "(0,4)"],
    mend: "delete from app.t where id <> 2",
  },
  "a foreign key": {
    before: `create table app.p (id bigint primary key); ${T}`,
    after:
      "create table app.p (id bigint primary key); create table app.t (id int primary key, v int references app.p on delete cascade, w text);",
    rows: `insert into app.p values (1), (2); ${SOME}`,
    found: ["3 rows of app.t without a matching row in app.p"],
    keys: ["4", "5", "6"],
    mend: "delete from app.t where v > 2",
  },
  "a foreign key to a table that comes with it": {
    before: T,
    after:
      "create table app.p (id int primary key); create table app.t (id int primary key, v int references app.p, w text);",
    rows: SOME,
    found: ["5 rows of app.t without a matching row in app.p"],
    mend: "update app.t set v = null",
  },
  "a foreign key that matches in full": {
    before:
      "create table app.p (a int, b int, primary key (a, b)); create table app.t (id int primary key, a int, b int);",
    after:
      "create table app.p (a int, b int, primary key (a, b)); create table app.t (id int primary key, a int, b int, foreign key (a, b) references app.p match full);",
    rows: "insert into app.p values (1, 1); insert into app.t values (1, 1, 1), (2, null, null), (3, 1, null), (4, 1, 2);",
    found: ["2 rows of app.t without a matching row in app.p"],
    keys: ["3", "4"],
    mend: "delete from app.t where id > 2",
  },
  "a foreign key by a type of an extension": {
    before:
      "create extension citext schema app; create table app.p (id app.citext primary key); create table app.t (id int primary key, v app.citext);",
    after:
      "create extension citext schema app; create table app.p (id app.citext primary key); create table app.t (id int primary key, v app.citext references app.p);",
    rows: "insert into app.p values ('A'); insert into app.t values (1, 'a'), (2, 'b');",
    found: ["1 row of app.t without a matching row in app.p"],
    keys: ["2"],
    mend: "delete from app.t where id = 2",
  },
  "a foreign key over a period": {
    since: 18,
    before:
      "create extension btree_gist; create table app.p (id int, r int4range, primary key (id, r without overlaps)); create table app.t (id int primary key, p int, r int4range);",
    after:
      "create extension btree_gist; create table app.p (id int, r int4range, primary key (id, r without overlaps)); create table app.t (id int primary key, p int, r int4range, foreign key (p, period r) references app.p (id, period r));",
    rows: "insert into app.p values (1, '[1,5)'), (1, '[5,9)'); insert into app.t values (1, 1, '[2,7)'), (2, 1, '[2,10)'), (3, 2, '[2,3)'), (4, null, '[1,2)');",
    found: ["2 rows of app.t without a matching row in app.p"],
    keys: ["2", "3"],
    mend: "delete from app.t where id in (2, 3)",
  },
  "text to a number": {
    before: T,
    after: "create table app.t (id int primary key, v int, w int);",
    rows: "insert into app.t values (1, 1, '12'), (2, 2, 'zz'), (3, 3, ''), (4, 4, null);",
    found: ["2 rows of app.t whose w cannot be converted to integer"],
    keys: ["2", "3"],
    mend: "delete from app.t where id in (2, 3)",
  },
  "a number to a narrower one": {
    before: "create table app.t (id int primary key, n numeric(10,4), b bigint);",
    after: "create table app.t (id int primary key, n numeric(5,2), b int);",
    rows: "insert into app.t values (1, 999.99, 1), (2, 1000, 2), (3, 1.005, 3000000000);",
    found: [
      "1 row of app.t whose b cannot be converted to integer",
      "1 row of app.t whose n cannot be converted to numeric(5,2)",
    ],
    mend: "update app.t set n = 1, b = 1",
  },
  "a number to one without a fraction": {
    before: "create table app.t (id int primary key, n numeric);",
    after: "create table app.t (id int primary key, n int);",
    rows: "insert into app.t values (1, 1.5), (2, 1000000000000), (3, 7);",
    found: ["1 row of app.t whose n cannot be converted to integer"],
    mend: "update app.t set n = 1",
  },
  "a text to a domain": {
    before: `create domain app.d as text check (value <> 'w1'); ${T}`,
    after:
      "create domain app.d as text check (value <> 'w1'); create table app.t (id int primary key, v int, w app.d);",
    rows: SOME,
    found: ["2 rows of app.t whose w cannot be converted to app.d"],
    keys: ["1", "5"],
    mend: "update app.t set w = ''",
  },
  "text to an enum": {
    before: `create type app.e as enum ('w0', 'w1', 'it''s'); ${T}`,
    after: "create type app.e as enum ('w0', 'w1', 'it''s'); create table app.t (id int primary key, v int, w app.e);",
    rows: SOME,
    found: ["3 rows of app.t whose w is not a value of app.e"],
    keys: ["2", "3", "6"],
    mend: "update app.t set w = 'it''s'",
  },
  "an enum with fewer values": {
    before: "create type app.e as enum ('a', 'b', 'c'); create table app.t (id int primary key, e app.e, es app.e[]);",
    after: "create type app.e as enum ('a', 'b'); create table app.t (id int primary key, e app.e, es app.e[]);",
    rows: "insert into app.t values (1, 'a', '{a,c}'), (2, 'c', null), (3, null, '{b,NULL}');",
    found: ["1 row of app.t whose e is not a value of app.e", "1 row of app.t whose es is not a value of app.e[]"],
    mend: "update app.t set e = 'a', es = '{b}'",
  },
  "a domain's constraint": {
    before:
      "create domain app.d as text; create domain app.dd as app.d; create table app.t (id int primary key, value app.d, b app.dd); create table app.u (d app.d);",
    after:
      "create domain app.d as text check (value <> 'zz'); create domain app.dd as app.d; create table app.t (id int primary key, value app.d, b app.dd); create table app.u (d app.d);",
    rows: "insert into app.t values (1, 'a', 'zz'), (2, 'zz', null), (3, 'zz', 'b'); insert into app.u values ('a');",
    found: [
      "1 row of app.t whose b CHECK ((VALUE <> 'zz'::text)) refuses",
      "2 rows of app.t whose value CHECK ((VALUE <> 'zz'::text)) refuses",
    ],
    mend: "update app.t set value = 'a', b = 'b'",
  },
  "a domain that demands a value": {
    before: "create domain app.d as text; create table app.t (id int primary key, d app.d);",
    after: "create domain app.d as text not null; create table app.t (id int primary key, d app.d);",
    rows: "insert into app.t values (1, 'a'), (2, null);",
    found: ["1 row of app.t whose d has no value"],
    keys: ["2"],
    mend: "delete from app.t where id = 2",
  },
  "a domain within other types": {
    before:
      "create domain app.d as text; create type app.c as (x app.d); create table app.t (id int primary key, ds app.d[], c app.c);",
    after:
      "create domain app.d as text check (value <> 'zz'); create type app.c as (x app.d); create table app.t (id int primary key, ds app.d[], c app.c);",
    rows: "",
    found: ["c", "ds"].map(
      (column) =>
        `unsupported: rows in app.t.${column}, within an array or another type, where the server does not check it`,
    ),
  },
  "a list partition beside the default one of a published table": {
    before:
      "create table app.t (id int, k text, primary key (id, k)) partition by list (k); create table app.rest partition of app.t default; create publication kept for table app.t with (publish = 'insert');",
    after:
      "create table app.t (id int, k text, primary key (id, k)) partition by list (k); create table app.rest partition of app.t default; create table app.a partition of app.t for values in ('a', 'b'); create publication kept for table app.t with (publish = 'insert');",
    rows: "insert into app.t values (1, 'a'), (2, 'b'), (3, 'c');",
    found: ["2 rows of the default partition app.rest that belong to the new partition app.a"],
    keys: ["1", "2"],
    mend: "delete from app.t where id < 3",
  },
  "a partition for no value beside the default one of a published table": {
    before:
      "create table app.t (id int, k text) partition by list (k); create table app.rest partition of app.t default; create publication kept for table app.t with (publish = 'insert');",
    after:
      "create table app.t (id int, k text) partition by list (k); create table app.rest partition of app.t default; create table app.a partition of app.t for values in (null); create publication kept for table app.t with (publish = 'insert');",
    rows: "insert into app.t values (1, 'a'), (2, null);",
    found: ["1 row of the default partition app.rest that belong to the new partition app.a"],
    mend: "delete from app.t where id = 2",
  },
  "a range partition beside the default one of a published table": {
    before:
      "create table app.t (id int, k text) partition by range (id, lower(k)); create table app.rest partition of app.t default; create publication kept for table app.t with (publish = 'insert');",
    after:
      "create table app.t (id int, k text) partition by range (id, lower(k)); create table app.rest partition of app.t default; create table app.a partition of app.t for values from (2, 'b') to (4, maxvalue); create publication kept for table app.t with (publish = 'insert');",
    rows: "insert into app.t values (1, 'x'), (2, 'A'), (2, 'B'), (3, 'a'), (4, 'x'), (4, null), (5, 'a');",
    found: ["3 rows of the default partition app.rest that belong to the new partition app.a"],
    mend: "delete from app.t where id in (2, 3, 4) and k is not null",
  },
});
