import type { Change } from "./measure.ts";
import type { ClientTransaction } from "./protocol.ts";

/**
 * A shop with foreign keys, a trigger, a policy, a view and a partitioned table. Between `begin` and `end`
 * stands what a change may replace.
 */
const SHOP = `create schema shop;
create type shop.status as enum ('new', 'paid');
create domain shop.amount as int check (value >= 0);
create table shop.customer (id int primary key, name text not null, email text, visits int default 0);
create table shop.product (id int primary key, code varchar(20), price int);
create table shop.purchase (id int primary key, customer_id int not null references shop.customer (id), total int default 0,
  note text, status shop.status default 'new', legacy text, fee shop.amount);
create table shop.line (id int primary key, purchase_id int references shop.purchase (id), product_id int, quantity int default 1);
create table shop.event (id int, at date not null, what text, primary key (id, at)) partition by range (at);
create table shop.event_2024 partition of shop.event for values from ('2024-01-01') to ('2025-01-01');
create table shop.event_2025 partition of shop.event for values from ('2025-01-01') to ('2026-01-01');
create table shop.obsolete (id int primary key, purchase_id int references shop.purchase (id));
create index purchase_by_note on shop.purchase (note);
create index purchase_by_total on shop.purchase (total);
create view shop.open_purchase as select id, customer_id, total from shop.purchase where status = 'new';
create function shop.slow(n int) returns int immutable language plpgsql as $$ begin perform pg_sleep(0.001); return n; end $$;
create function shop.touch() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger touch before update on shop.purchase for each row execute function shop.touch();
alter table shop.customer enable row level security;
create policy everyone on shop.customer using (true);
`;

const ROWS = 20_000;

const FILL = `
insert into shop.customer (id, name, email) select n, 'name ' || n, n || '@example.org' from generate_series(1, ${ROWS}) as n;
insert into shop.product select n, 'code ' || n, n from generate_series(1, ${ROWS}) as n;
insert into shop.purchase (id, customer_id, total, note, fee) select n, n, n, 'note ' || n, n from generate_series(1, ${ROWS}) as n;
insert into shop.line (id, purchase_id, product_id) select n, n, n from generate_series(1, ${ROWS}) as n;
insert into shop.event select n, '2025-05-05', 'seen' from generate_series(1, ${ROWS}) as n;
insert into shop.obsolete select n, n from generate_series(1, ${ROWS}) as n;`;

const pause = { pauseMs: [50, 200] as [number, number] };
const customer = "update shop.customer set visits = visits + 1 where id = $client";
const purchase = "update shop.purchase set total = total + 1 where id = $client";
const line = "update shop.line set quantity = quantity + 1 where id = $client";

/** Each client has rows of its own: what they wait for is the change, not one another. */
const WORK: ClientTransaction[] = [
  { weight: 6, steps: ["select name, visits from shop.customer where id = $client"] },
  { weight: 6, steps: ["select * from shop.open_purchase where id = $client"] },
  { weight: 6, steps: [purchase] },
  { weight: 6, steps: [line] },
  {
    weight: 4,
    steps: [
      "insert into shop.purchase (id, customer_id, total, note, fee) values (1000000 + $client, $client, 1, 'new ' || $client, 1)",
      "insert into shop.line (id, purchase_id, product_id) values (1000000 + $client, 1000000 + $client, $client)",
      "delete from shop.line where id = 1000000 + $client",
      "delete from shop.purchase where id = 1000000 + $client",
    ],
  },
  {
    weight: 2,
    steps: [
      "insert into shop.event values (1000000 + $client, '2025-06-06', 'now')",
      "delete from shop.event where id = 1000000 + $client",
    ],
  },
  { weight: 2, steps: [customer, purchase, line] },
  { weight: 2, steps: [line, purchase, customer] },
  { weight: 1, steps: [purchase, pause, line] },
  { weight: 1, steps: [customer, pause] },
  {
    weight: 1,
    steps: [
      "select count(*) from shop.line where id between 1 and 100",
      pause,
      "select name from shop.customer where id = $client",
    ],
  },
];

/** The shop with something else in place of what it has. */
function change(name: string, replaced: [string, string][], allow: string[] = []): Change {
  let after = SHOP;
  for (const [from, to] of replaced) {
    if (from !== "" && !after.includes(from)) throw new Error(`${name}: the shop has no ${from}`);
    after = from === "" ? `${after}${to}\n` : after.replace(from, () => to);
  }
  return { name, before: SHOP, after, allow, rows: FILL, transactions: WORK };
}

const added = (sql: string): [string, string][] => [["", sql]];

/** Building it takes some seconds. */
const SLOW_INDEX = "create index line_slow on shop.line (shop.slow(quantity)) where id <= 4000;";
const COLUMN = "alter table shop.purchase add column seen timestamptz;";

/** What a person would run who knows of none of this, and what the layer does instead. */
export const withAndWithout = [
  { change: change("add an index that is slow to build", added(SLOW_INDEX)), byHand: SLOW_INDEX },
  {
    change: {
      ...change("add a column behind a long transaction", added(COLUMN)),
      blocker: "select from shop.purchase limit 1",
    },
    byHand: COLUMN,
  },
] satisfies { change: Change; byHand: string }[];

/** Partitions that come and go, with a million rows each. */
const MILLION = 1_000_000;
const EVENTS = `create schema shop;
create table shop.event (id int, at date not null, what text, primary key (id, at)) partition by range (at);
create index event_by_what on shop.event (what);
create table shop.event_2024 partition of shop.event for values from ('2024-01-01') to ('2025-01-01');
`;
const PLAIN = "(id int, at date not null, what text, primary key (id, at));";
const YEAR = "create table shop.event_2025 partition of shop.event for values from ('2025-01-01') to ('2026-01-01');";
const REST = "create table shop.event_rest partition of shop.event default;";

const eventsIn = (table: string): string =>
  `insert into ${table} select n, '2025-01-01'::date + n % 365, 'seen ' || n % 1000 from generate_series(1, ${MILLION}) as n;
analyze ${table};`;

/** Clients that work on a table of events. */
const eventWork = (table: string): ClientTransaction[] => [
  { weight: 6, steps: [`select what from ${table} where id = $client`] },
  { weight: 6, steps: [`update ${table} set what = 'seen again' where id = $client`] },
  {
    weight: 4,
    steps: [
      `insert into ${table} values (2000000 + $client, '2025-06-06', 'now')`,
      `update ${table} set at = '2025-07-07' where id = 2000000 + $client`,
      `delete from ${table} where id = 2000000 + $client`,
    ],
  },
  { weight: 1, steps: [`update ${table} set what = 'seen again' where id = $client`, pause] },
];

const partitionChanges: Change[] = [
  {
    name: "a table of 1,000,000 rows becomes a partition",
    before: `${EVENTS} create table shop.event_2025 ${PLAIN}`,
    after: EVENTS + YEAR,
    rows: eventsIn("shop.event_2025"),
    transactions: eventWork("shop.event_2025"),
  },
  {
    name: "a partition of 1,000,000 rows becomes a table",
    before: EVENTS + YEAR,
    after: `${EVENTS} create table shop.event_2025 ${PLAIN} create index event_2025_what_idx on shop.event_2025 (what);`,
    rows: eventsIn("shop.event_2025"),
    transactions: eventWork("shop.event_2025"),
  },
  {
    name: "a partition of 1,000,000 rows gets wider bounds",
    before: EVENTS + YEAR,
    after: EVENTS + YEAR.replace("2026", "2027"),
    rows: eventsIn("shop.event_2025"),
    transactions: eventWork("shop.event_2025"),
  },
  {
    name: "a partition beside a default one of 1,000,000 rows that stay",
    before: EVENTS + REST,
    after: `${EVENTS}${REST} create table shop.event_2026 partition of shop.event for values from ('2026-01-01') to ('2027-01-01');`,
    rows: eventsIn("shop.event_rest"),
    transactions: eventWork("shop.event"),
  },
  {
    name: "a partition that takes 1,000,000 rows of the default one",
    before: EVENTS + REST,
    after: EVENTS + REST + YEAR,
    allow: ["move-rows:shop.event_rest"],
    approvedMs: 5000,
    rows: eventsIn("shop.event_rest"),
    transactions: eventWork("shop.event"),
  },
  {
    name: "an index of a partitioned table with 1,000,000 rows",
    before: EVENTS + YEAR,
    after: `${EVENTS}${YEAR} create index event_by_day on shop.event (at);`,
    rows: eventsIn("shop.event_2025"),
    transactions: eventWork("shop.event"),
  },
  {
    name: "a foreign key of a partitioned table with 1,000,000 rows",
    before: `${EVENTS}${YEAR} create table shop.word (what text primary key);`,
    after: `${EVENTS}${YEAR} create table shop.word (what text primary key);
      alter table shop.event add constraint event_what foreign key (what) references shop.word;`,
    rows: `${eventsIn("shop.event_2025")} insert into shop.word select distinct what from shop.event union values ('seen again'), ('now');`,
    transactions: eventWork("shop.event"),
  },
  {
    name: "a table of 1,000,000 rows that inherits",
    before: `create schema shop; create table shop.base (id int not null, at date not null); create table shop.event ${PLAIN}`,
    after: `create schema shop; create table shop.base (id int not null, at date not null);
      create table shop.event (what text, primary key (id, at)) inherits (shop.base);`,
    rows: eventsIn("shop.event"),
    transactions: eventWork("shop.event"),
  },
];

/** Every kind of change that the traffic test knows, beside those of the corpus. */
export const changes: Change[] = [
  ...withAndWithout.map(({ change }) => change),
  change("add an index", added("create index line_by_product on shop.line (product_id);")),
  change("replace an index", [
    ["purchase_by_note on shop.purchase (note)", "purchase_by_note on shop.purchase (note, total)"],
  ]),
  change("drop an index", [["create index purchase_by_total on shop.purchase (total);", ""]]),
  change("add a unique constraint", added("alter table shop.purchase add constraint purchase_once unique (note);")),
  change(
    "add a foreign key",
    added("alter table shop.line add constraint line_product foreign key (product_id) references shop.product (id);"),
  ),
  change(
    "add a foreign key to a busy table",
    added("alter table shop.line add constraint line_customer foreign key (product_id) references shop.customer (id);"),
  ),
  change("drop a foreign key", [
    ["purchase_id int references shop.purchase (id), product_id", "purchase_id int, product_id"],
  ]),
  change("add a check", added("alter table shop.purchase add constraint purchase_total check (total >= 0);")),
  change("set not null", [["total int default 0", "total int not null default 0"]]),
  change("add a column", [["note text,", "note text, seen timestamptz,"]]),
  change("add a column with a constant default", [["note text,", "note text, currency text not null default 'EUR',"]]),
  change("add a column with a volatile default", [
    ["note text,", "note text, token uuid not null default gen_random_uuid(),"],
  ]),
  change("change a default", [["total int default 0", "total int default 1"]]),
  change("widen a column without a copy", [
    ["code varchar(20)", "code varchar(40)"],
    ["visits int default 0", "visits int default 2"],
  ]),
  change(
    "widen a column with a copy",
    [["quantity int default 1", "quantity bigint default 1"]],
    ["rewrite-table:shop.line"],
  ),
  change("drop a column", [["legacy text, ", ""]], ["drop-column:shop.purchase.legacy"]),
  change(
    "drop a table that refers to a busy one",
    [["create table shop.obsolete (id int primary key, purchase_id int references shop.purchase (id));\n", ""]],
    ["drop-table:shop.obsolete"],
  ),
  change(
    "add a table that refers to busy ones",
    added(
      "create table shop.refund (id int primary key, purchase_id int references shop.purchase (id), customer_id int references shop.customer (id));",
    ),
  ),
  change("rename a column", [["legacy text, ", "heritage text, -- renamed from: legacy\n"]]),
  change("rename a table that refers to a busy one", [
    ["create table shop.obsolete (", "create table shop.relic ( -- renamed from: obsolete\n"],
  ]),
  change("change a policy", [["using (true)", "using (id > 0)"]]),
  change(
    "enable row security",
    added(
      "alter table shop.purchase enable row level security; create policy all_of_it on shop.purchase using (true);",
    ),
  ),
  change("change a trigger", [["before update on shop.purchase", "before insert or update on shop.purchase"]]),
  change("change the function of a trigger", [
    ["begin return new; end", "begin new.total := new.total; return new; end"],
  ]),
  change("change a view", [["select id, customer_id, total from", "select id, customer_id, total, note from"]]),
  change("replace a view", [["select id, customer_id, total from", "select id, total, customer_id from"]]),
  change(
    "add a partition",
    added("create table shop.event_2026 partition of shop.event for values from ('2026-01-01') to ('2027-01-01');"),
  ),
  change("drop a partition", [
    ["create table shop.event_2024 partition of shop.event for values from ('2024-01-01') to ('2025-01-01');\n", ""],
  ]),
  change("add a column to a partitioned table", [
    ["at date not null, what text,", "at date not null, what text, who text,"],
  ]),
  change("add a value to an enum", [["('new', 'paid')", "('new', 'paid', 'sent')"]]),
  change(
    "add a check to a domain",
    [["check (value >= 0)", "check (value >= 0) check (value < 1000000)"]],
    ["scan-table:shop.purchase"],
  ),
  change("grant", added("grant select on shop.purchase to public;")),
  change("comment", added("comment on table shop.purchase is 'what was bought';")),
  change("columns of three tables at once", [
    ["visits int default 0", "visits int default 0, city text"],
    ["note text,", "note text, seen timestamptz,"],
    ["quantity int default 1", "quantity int default 1, discount int"],
  ]),
  change("many things at once", [
    ["visits int default 0", "visits int default 0, city text not null default ''"],
    ["total int default 0", "total int not null default 0 check (total >= 0)"],
    ["using (true)", "using (id > 0)"],
    ["", "create index line_by_product on shop.line (product_id);"],
    ["", "alter table shop.line add constraint line_product foreign key (product_id) references shop.product (id);"],
    ["", "create table shop.refund (id int primary key, purchase_id int references shop.purchase (id));"],
  ]),
  ...partitionChanges,
];
