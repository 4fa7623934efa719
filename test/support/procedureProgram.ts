/** A small stack that has the whole procedure around it, before and after an update of both of its layers. */
export const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Backup } from "./components/release/Backup.ts";
import { Preflight } from "./components/release/Preflight.ts";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import { Verification } from "./components/resources/Verification.ts";

const provider = new Provider("target", {
  url: new pulumi.Config().requireSecret("databaseUrl"),
  backup: "dump", backupFolder: "backups", backupKeep: 5, requireGate: true,
  baselineSchemas: ["shop"], baselineQueries: ["sql/shop-timings"],
});
new Preflight("preflight", { schemas: ["shop"], sources: ["sql"], checks: "sql/gate" }, { providers: [provider] });
const files = ["sql/shop"];
const shop = new Layer("shop", { name: "shop", files }, { provider });
const views = new Layer("views", { name: "views", files: ["sql/views"], base: [{ name: "shop", files }] }, { provider, dependsOn: shop });
new Backup("backup", { after: [shop, views] }, { providers: [provider] });
new Verification(
  "verification",
  { checks: ["sql/shop-checks"], otherWriters: false },
  { provider, dependsOn: [shop, views] },
);
`;

export const BEFORE: Readonly<Record<string, string>> = {
  "sql/shop/10-items.sql": "create schema shop;\ncreate table shop.items (id int primary key, name text);\n",
  "sql/views/10-names.sql": "create view shop.names as select name from shop.items;\n",
  "sql/shop-checks/10-items.sql":
    "-- check: shop.items\nselect 'shop.items' as name, 'PASS' as status, count(*) || ' rows' as measured, 'any' as expected from shop.items;\n",
  "sql/shop-timings/10-items.sql": "-- query: items\nselect * from shop.items limit 10;\n",
  "sql/gate/readme.txt": "",
};

export const AFTER: Readonly<Record<string, string>> = {
  "sql/shop/10-items.sql": "create schema shop;\ncreate table shop.items (id int primary key, name text, price int);\n",
  "sql/views/10-names.sql":
    "create view shop.names as select name from shop.items;\ncreate view shop.prices as select price from shop.items;\n",
};

export const ROWS = "insert into shop.items (id, name) select n, 'item ' || n from generate_series(1, 500) as n";
/** One row that tells whether any row was lost or changed. */
export const ROWS_DIGEST =
  "select count(*)::int as rows, sum(hashtextextended(row(id, name)::text, 0))::text as checksum from shop.items";
