/** A small program with all kinds of steps: two layers, a third with policies, and a row. */
export const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import { Row } from "./components/resources/Row.ts";

const config = new pulumi.Config();
const provider = new Provider("target", { url: config.requireSecret("databaseUrl") });
const source = (name: string) => ({ name, files: ["sql/shop/" + name] });
const [stock, orders, access] = [source("stock"), source("orders"), source("access")];
const forceDestroy = true;
const stockLayer = new Layer("stock", { ...stock, forceDestroy }, { provider });
const ordersLayer = new Layer("orders", { ...orders, forceDestroy, base: [stock] }, { provider, dependsOn: [stockLayer] });
new Layer("access", { ...access, forceDestroy, base: [stock, orders] }, { provider, dependsOn: [ordersLayer] });
new Row("house", {
  table: "shop.supplier",
  key: { id: 0 },
  values: { name: config.require("supplier") },
}, { provider, dependsOn: [stockLayer] });
`;

/** SQL of the layers by path, before the update. */
export const BEFORE: Readonly<Record<string, string>> = {
  "sql/shop/stock/10-stock.sql": `
create schema shop;
create table shop.supplier (id int primary key, name text not null);
create table shop.item (id int primary key, name text not null, price int, supplier_id int);
create index item_by_name on shop.item (name);
create function shop.gross(price int) returns numeric language sql immutable set search_path = '' return price * 1.10;
`,
  "sql/shop/orders/10-orders.sql": `
create table shop.purchase (id int primary key, item_id int not null references shop.item, amount int not null);
create view shop.sold as select item_id, sum(amount) as amount from shop.purchase group by item_id;
`,
  "sql/shop/access/10-access.sql": `
alter table shop.item enable row level security;
create policy item_read on shop.item for select using (true);
create policy item_write on shop.item for update using (id > 0);
`,
};

/**
 * After it. Layer stock uses every online recipe: an index built and one replaced concurrently, a check and a
 * foreign key that are validated afterwards, a column that becomes NOT NULL, and one that is filled in by
 * batches. The other two are transactional.
 */
export const AFTER: Readonly<Record<string, string>> = {
  "sql/shop/stock/10-stock.sql": `
create schema shop;
create table shop.supplier (id int primary key, name text not null);
create table shop.item (id int primary key, name text not null, price int not null, supplier_id int references shop.supplier,
  tag uuid not null default gen_random_uuid(), constraint item_price check (price >= 0));
create index item_by_name on shop.item (name, price);
create index item_by_price on shop.item (price);
create function shop.gross(price int) returns numeric language sql immutable set search_path = '' return price * 1.22;
create table shop.stocktaking (id int primary key, item_id int not null references shop.item);
`,
  "sql/shop/orders/10-orders.sql": `
create table shop.purchase (id int primary key, item_id int not null references shop.item, amount int not null, note text);
create view shop.sold as select item_id, sum(amount) as amount from shop.purchase group by item_id;
create view shop.notes as select id, note from shop.purchase where note is not null;
create table shop.complaint (id int primary key, purchase_id int not null references shop.purchase);
create index complaint_by_purchase on shop.complaint (purchase_id);
comment on table shop.complaint is 'What customers are not content with';
`,
  "sql/shop/access/10-access.sql": `
alter table shop.item enable row level security;
create policy item_read on shop.item for select using (true);
create policy item_write on shop.item for update using (id > 10);
alter table shop.purchase enable row level security;
create policy purchase_read on shop.purchase for select using (amount > 0);
create function shop.may_see(amount int) returns boolean language sql immutable set search_path = '' return amount > 0;
`,
};

export const ITEMS = 6000;

/** Rows that no run may change, but for what the update adds. */
export const ROWS = [
  "insert into shop.supplier select n, 'supplier ' || n from generate_series(1, 20) as n",
  `insert into shop.item select n, 'item ' || n % 500, n % 90, 1 + n % 20 from generate_series(1, ${ITEMS}) as n`,
  `insert into shop.purchase select n, 1 + n % ${ITEMS}, n % 7 from generate_series(1, 500) as n`,
];

/** A digest of the rows, in the columns that both versions have. The first supplier is the stack's own. */
export const ROWS_DIGEST = `
select md5(concat((select string_agg(concat_ws('|', id, name, price, supplier_id), ',' order by id) from shop.item),
                  (select string_agg(concat_ws('|', id, item_id, amount), ',' order by id) from shop.purchase),
                  (select string_agg(concat_ws('|', id, name), ',' order by id) from shop.supplier where id > 0))) as digest`;

/**
 * What other sessions see of the two layers without online steps, and of the index that is replaced: a mark
 * for each change of a layer, and whether a usable index on the column is there. One statement that reads
 * tables of the catalog only, so of one moment.
 */
export const MARKS = `
with relation as (select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'shop'),
     index as (select i.indexrelid, i.indrelid, i.indkey[0] as first_column from pg_index i join relation t on t.oid = i.indrelid where t.relname = 'item' and i.indisvalid)
select json_build_object(
  'orders', array[exists (select from relation where relname = 'notes'), exists (select from relation where relname = 'complaint'),
                  exists (select from relation where relname = 'complaint_by_purchase'),
                  exists (select from pg_attribute where attrelid = (select oid from relation where relname = 'purchase') and attname = 'note'),
                  exists (select from pg_description where objoid = (select oid from relation where relname = 'complaint'))],
  'access', array[(select relrowsecurity from relation where relname = 'purchase'), exists (select from pg_policy where polname = 'purchase_read'),
                  exists (select from pg_proc where proname = 'may_see'),
                  (select polqual::text ~ '10 0 0 0' from pg_policy where polname = 'item_write')],
  'indexed by name', exists (select from index join pg_attribute a on a.attrelid = index.indrelid and a.attnum = index.first_column where a.attname = 'name')) as marks`;

/** Invalid indexes, and objects that only steps of a recipe need. */
export const LEFT_OVERS = `
select coalesce(array_agg(name), '{}') as names from (
  select c.relname::text as name from pg_index i join pg_class c on c.oid = i.indexrelid where not i.indisvalid or c.relname like '%pgstrata%'
  union all select conname from pg_constraint where conname like '%pgstrata%' or not convalidated) as left_over`;

/** What a destroy has left of the program: relations, and notes of the provider. */
export const STANDING = `
select coalesce(array_agg(name), '{}')::text[] as names from (
  select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'shop'
  union all select 'large object ' || oid from pg_largeobject_metadata) as standing`;
