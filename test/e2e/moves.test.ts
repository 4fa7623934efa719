import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { diagnosticsIn } from "../support/cliOutput.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const HEAD = `
import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";

const config = new pulumi.Config();
const provider = new Provider("target", { url: config.requireSecret("databaseUrl") });
const allow = config.getObject<string[]>("allow") ?? [];
`;
const SHOP = `${HEAD}
const shop = { name: "shop", files: ["sql/shop"] };
const below = new Layer("shop", { ...shop, allow }, { provider });
new Layer("orders", { name: "orders", files: ["sql/orders"], base: [shop], allow }, { provider, dependsOn: [below] });
`;
const OTHER = `${HEAD}
new Layer("ours", { name: "ours", files: ["sql/ours"], assumes: ["sql/assumed"], forceDestroy: true }, { provider });
`;

const SCHEMA = "create schema shop;\ncreate table shop.item (id int primary key);\n";
const ORDERS = `create table shop.orders (id int primary key, note text);
create index orders_note on shop.orders (note);
alter table shop.orders enable row level security;
create policy everyone on shop.orders using (true);
`;
const VIEW = "create view shop.items as select id from shop.item;\n";

// Two stacks on one database go through their life: each test starts where the one before it ended.
let database: TestDatabase;
let stack: StackWorkspace;
let other: StackWorkspace;
beforeAll(async () => {
  database = await createTestDatabase();
  const config = { "pgstrata:databaseUrl": { secret: database.url } };
  stack = await createStackWorkspace({
    program: SHOP,
    config,
    files: { "sql/shop/10-shop.sql": SCHEMA + ORDERS, "sql/orders/10-orders.sql": VIEW },
  });
  other = await createStackWorkspace({
    program: OTHER,
    config,
    files: { "sql/ours/10-ours.sql": ORDERS, "sql/assumed/10-shop.sql": SCHEMA },
  });
  await stack.succeed("up", "--yes", "--skip-preview");
  await database.query("insert into shop.orders values (1, 'kept')");
});
afterAll(async () => {
  await stack?.remove();
  await other?.remove();
  await database?.drop();
});

const identities = () =>
  database.query(
    "select relname, oid, relfilenode from pg_class where relnamespace = 'shop'::regnamespace and relname like 'orders%' order by relname",
  );

describe("a table that goes from one layer's files to another's", () => {
  it("stops a preview with both answers, and moves with all that is on it once it is handed over", async () => {
    const before = await identities();
    await stack.write("sql/shop/10-shop.sql", SCHEMA);
    await stack.write("sql/orders/10-orders.sql", VIEW + ORDERS);
    const preview = await stack.run("preview");
    expect(preview.exitCode).not.toBe(0);
    expect(diagnosticsIn(preview)).toContain("drop-table:shop.orders");
    expect(diagnosticsIn(preview)).toContain("hand-over:shop.orders");

    await stack.succeed("config", "set", "--path", "pgstrata:allow[0]", "hand-over:shop.orders");
    await stack.succeed("up", "--yes");
    expect(await identities()).toEqual(before);
    await stack.succeed("preview", "--expect-no-changes");
  });

  it("moves on to a layer of another stack, which drops it when it is destroyed", async () => {
    const before = await identities();
    await stack.write("sql/orders/10-orders.sql", VIEW);
    await stack.succeed("up", "--yes");
    await other.succeed("up", "--yes");
    expect(await identities()).toEqual(before);
    expect(await database.query("select note from shop.orders")).toEqual([{ note: "kept" }]);
    await other.succeed("preview", "--expect-no-changes");
    await stack.succeed("preview", "--expect-no-changes");

    await other.succeed("destroy", "--yes");
    expect(await identities()).toEqual([]);
    await stack.succeed("destroy", "--yes");
  });
});
