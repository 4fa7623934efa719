/**
 * How the two providers, `pgstrata` and `postgresql`, come to connect to the same database. Settings arrive
 * parsed from `stackConfig.ts`.
 */
import { setImmediate } from "node:timers/promises";
import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { type ConnectionParts, parseConnectionString } from "../../provider/services/connectionString.ts";
import { Provider, type ProviderArgs } from "../resources/Provider.ts";

/**
 * The providers that every component needs, both connected to the same database: `pgstrata` for objects and
 * rows, `postgresql` for the roles of the server. They are explicit, because the project's own settings share
 * the namespace `pgstrata:` with what a default provider would read.
 */
export async function targetProviders(args: ProviderArgs): Promise<pulumi.ProviderResource[]> {
  const target = new Provider("target", args);
  // Its registration is sent, so that the engine starts it while the program goes on.
  await setImmediate();
  return [target, new postgresql.Provider("target-roles", rolesProviderArgs(args.url))];
}

/**
 * The connection of the `postgresql` provider, taken from the URL. All but the password shows in the plan.
 */
export function rolesProviderArgs(url: pulumi.Input<string>): postgresql.ProviderArgs {
  const connection = pulumi
    .secret(url)
    .apply((text) => ({ parts: parseConnectionString(text), sslmode: sslMode(text) }));
  const show = <T>(pick: (parts: ConnectionParts) => T) =>
    pulumi.unsecret(connection.apply(({ parts }) => pick(parts)));
  return {
    host: show((parts) => parts.host),
    port: show((parts) => parts.port),
    username: show((parts) => parts.username),
    database: show((parts) => parts.database),
    sslmode: pulumi.unsecret(connection.apply(({ sslmode }) => sslmode)),
    password: connection.apply(({ parts }) => parts.password),
    // Seconds. Without a limit an unreachable server would hold the command for minutes.
    connectTimeout: 15,
    // Spares the provider to read password hashes, which most hosted servers refuse.
    superuser: false,
  };
}

/** The `postgresql` provider knows no opportunistic modes: those that do not demand TLS go without. */
function sslMode(text: string): string {
  const mode = new URL(text).searchParams.get("sslmode");
  if (mode === "verify-ca" || mode === "verify-full") return mode;
  return parseConnectionString(text).tls ? "require" : "disable";
}
