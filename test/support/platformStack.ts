import { createStackWorkspace, type StackConfig, type StackWorkspace } from "./cli.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { startTestServer, type TestServer } from "./testServer.ts";

/** The names of the access roles, which all databases of a server share. */
export const ROLES = ["studio_app", "studio_decrypt", "studio_readonly", "studio_system"] as const;

/** A stack of the checkout's program on an empty database, on a server of its own. */
export interface PlatformStack {
  server: TestServer;
  database: TestDatabase;
  stack: StackWorkspace;
  /** Numbers of what stands in the database, read from the catalog. */
  standing(): Promise<Standing>;
  close(): Promise<void>;
}

export interface Standing {
  /** Of the schemas `platform` and `platform_private`. */
  tables: number;
  /** Of these, tables with row-level security. */
  secured: number;
  policies: number;
  functions: number;
  views: number;
  /** The access roles of the server. */
  roles: string[];
  /** Names of the registered databases; undefined where there is no registry. */
  registered: string[] | undefined;
}

/**
 * @param options.config default: placeholders stand in for the connection strings.
 * @param options.manageRoles whether the stack makes the access roles; default true. Otherwise they are made
 *   here.
 * @param options.server settings beside those of all test servers.
 */
export async function createPlatformStack(
  options: {
    stack?: string;
    config?: StackConfig;
    manageRoles?: boolean;
    program?: string;
    server?: Readonly<Record<string, string>>;
  } = {},
): Promise<PlatformStack> {
  const { config = { "pgstrata:allowPlaceholders": "true" }, manageRoles = true, server: settings, ...rest } = options;
  const server = await startTestServer(settings);
  const database = await createTestDatabase({ name: "studio", server: server.url("postgres") });
  if (!manageRoles) for (const role of ROLES) await database.query(`create role ${role}`);
  const stack = await createStackWorkspace({
    ...rest,
    config: {
      "pgstrata:databaseUrl": { secret: database.url },
      ...(manageRoles ? {} : { "pgstrata:manageRoles": "false" }),
      ...config,
    },
  });
  return {
    server,
    database,
    stack,
    standing: () => standingIn(database),
    close: async () => {
      await stack.remove();
      await database.drop();
      await server.stop();
    },
  };
}

/** One row with numbers of objects in the schemas of the platform. */
const COUNTS = `
with schemas as (select oid from pg_namespace where nspname in ('platform', 'platform_private')),
     relations as (select * from pg_class where relnamespace in (select oid from schemas))
select (select count(*)::int from relations where relkind = 'r') as tables,
       (select count(*)::int from relations where relkind = 'r' and relrowsecurity) as secured,
       (select count(*)::int from pg_policy where polrelid in (select oid from relations)) as policies,
       (select count(*)::int from pg_proc where pronamespace in (select oid from schemas)) as functions,
       (select count(*)::int from relations where relkind = 'v') as views,
       array(select rolname::text from pg_roles where rolname like 'studio\\_%' order by 1) as roles,
       to_regclass('platform.databases') is not null as "hasRegistry"`;

export async function standingIn({ query }: TestDatabase): Promise<Standing> {
  const [row] = await query<Omit<Standing, "registered"> & { hasRegistry: boolean }>(COUNTS);
  if (row === undefined) throw new Error("the catalog answered without a row");
  const { hasRegistry, ...counts } = row;
  const rows = hasRegistry ? await query<{ name: string }>("select name from platform.databases order by name") : [];
  return { ...counts, registered: hasRegistry ? rows.map(({ name }) => name) : undefined };
}

/** What the whole program makes. */
export const WHOLE: Standing = {
  tables: 29,
  secured: 26,
  policies: 26,
  functions: 49,
  views: 7,
  roles: [...ROLES],
  registered: ["Railway MongoDB", "Railway Redis"],
};

/** What a complete destroy leaves. */
export const NOTHING: Standing = {
  tables: 0,
  secured: 0,
  policies: 0,
  functions: 0,
  views: 0,
  roles: [],
  registered: undefined,
};
