/**
 * A database service as a row of the registry: its arguments, and which column each goes to. Checks of the
 * connection string against the other arguments are in `registration.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import { type ConnectionParts, maskedConnectionString } from "../../provider/services/connectionString.ts";
import type { DatabaseType } from "../../provider/services/serviceTypes.ts";
import type { DatabasesTable } from "../platform/DatabasesTable.ts";
import { Credential } from "../resources/Credential.ts";
import { Probe } from "../resources/Probe.ts";
import { type JsonObject, Row } from "../resources/Row.ts";
import type { DatabaseMetadata, DatabaseSettings } from "./databaseSettings.ts";
import { checkRegistration, type GivenParts, networkOf } from "./registration.ts";

/** A string that a rotation has replaced is not written again, nor is its user. */
const ROTATED_AWAY = "platform_private.rotation_note(id, {connection_string})";

/** Whether a service is probed before it is registered. */
export type ProbeMode = "require" | "warn" | "off";

/** What may be said about a registered database beside its connection string. */
interface CommonArgs {
  /** The registry that holds the registration. */
  databases: DatabasesTable;

  /**
   * The project that the service belongs to: its row or its ID. A change registers the service again, under
   * the new project.
   */
  project: Row | pulumi.Input<string>;

  /**
   * Name for people, not empty. With project and type it identifies the registration: a change registers the
   * service again and deletes the old row.
   */
  databaseName: pulumi.Input<string>;

  /**
   * The full connection string, user and password included; always treated as a secret. Host, port, user,
   * database and TLS are derived from it and shown; the string itself goes to the database only, which keeps
   * it encrypted. A change rewrites the row in place; with it the old string is gone.
   * @example connectionString: config.requireSecret("redisConnectionString")
   */
  connectionString: pulumi.Input<string>;

  /**
   * Host name or address. A value that contradicts the connection string is refused.
   * @default what the connection string says
   */
  host?: pulumi.Input<string>;

  /**
   * Port, 1 to 65535. A value that contradicts the connection string is refused.
   * @default what the connection string says, else the usual port of the type
   */
  port?: pulumi.Input<number>;

  /**
   * User name. A value that contradicts the connection string is refused.
   * @default what the connection string says
   */
  username?: pulumi.Input<string>;

  /**
   * Database name; for Redis its number as text. A value that contradicts the connection string is refused; a
   * MongoDB string that names none allows any.
   * @default what the connection string says; for MongoDB `admin` where it names none
   */
  database?: pulumi.Input<string>;

  /**
   * Whether the connection uses TLS. A value that contradicts the connection string is refused.
   * @default what the connection string says
   */
  tls?: pulumi.Input<boolean>;

  /**
   * Whether a real connection to the service is made before its string is registered or changed: `require`
   * stops preview and update where the service cannot be reached, TLS, login or rights are not as they have
   * to be; `warn` tells and registers all the same; `off` asks nothing.
   * @default "warn"
   */
  probe?: ProbeMode | undefined;

  /**
   * How old the credential may become, such as `30d`: an update rotates it when it is older, and a preview
   * shows that. The connection string that the program gives is then that of before: the registry keeps the
   * one that took its place, until the program gives a new one.
   * @default for ever: `npm run rotate -- <name>` rotates it
   */
  rotateEvery?: string | undefined;

  /**
   * How long the credential before stays valid beside the new one, such as `12h`. The next run after that
   * disables it.
   * @default "1d"
   */
  rotationGrace?: string | undefined;

  /**
   * Signs in to manage the users of the service; always treated as a secret. What rights it needs is told in
   * `docs/rotation.md`.
   * @default the registered connection string
   */
  adminConnectionString?: pulumi.Input<string> | undefined;

  /** Notes such as provider and environment; never a secret. */
  metadata?: pulumi.Input<DatabaseMetadata>;

  /**
   * Whether readers may use the service: `inactive` hides it from them.
   * @default "active"
   */
  status?: pulumi.Input<"active" | "inactive" | "error" | "maintenance">;
}

/** The arguments with the settings that fit the type. */
export type RegisteredDatabaseArgs = {
  [Type in DatabaseType]: CommonArgs & {
    /** Kind of service. A change registers the service again. */
    type: Type;
    /** Settings of the client; never a secret. */
    config?: pulumi.Input<DatabaseSettings[Type]>;
  };
}[DatabaseType];

/**
 * A database service of a project, registered in `platform.databases`.
 *
 * ```ts
 * new RegisteredDatabase("cache", {
 *   databases,
 *   project: tenant.project,
 *   type: "redis",
 *   databaseName: "Railway Redis",
 *   connectionString: config.requireSecret("redisConnectionString"),
 *   config: { db: 0, keyPrefix: "studio:" },
 * }, { providers: [target] });
 * ```
 *
 * A new registration has the health `unknown`, which health checks then change. Destroying it deletes the row
 * and with it the only copy of the connection string that the database holds.
 */
export class RegisteredDatabase extends pulumi.ComponentResource {
  readonly row: Row;
  /** Undefined where nothing is said about its rotation. */
  readonly credential: Credential | undefined;
  /** ID of the registration, a UUID. */
  readonly registrationId: pulumi.Output<string>;
  /** Scheme, host and port; not secret. */
  readonly maskedConnectionString: pulumi.Output<string>;

  constructor(name: string, args: RegisteredDatabaseArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:RegisteredDatabase", name, {}, opts);
    const connection = checkedConnection(this, args);
    const shown = shownParts(connection, args);

    const { type, probe: mode = "warn", config, databases } = args;
    const probes =
      mode === "off"
        ? []
        : [
            new Probe(
              name,
              {
                ...{ type, mode, config },
                connectionString: connection.apply(({ text }) => text),
                registration: { project: projectId(args.project), name: args.databaseName },
              },
              { parent: this },
            ),
          ];

    this.row = new Row(
      name,
      {
        table: "platform.databases",
        key: { project_id: projectId(args.project), type: args.type, name: args.databaseName },
        values: {
          host: shown.host,
          port: shown.port,
          username: shown.username,
          database: shown.database,
          ssl_enabled: shown.tls,
          config: pulumi.output<JsonObject>(config ?? {}),
          metadata: metadataOf(args.metadata, shown.host, shown.port),
          status: args.status ?? "active",
        },
        secretValues: { connection_string: connection.apply(({ text }) => text) },
        compareWith: { connection_string: "platform_private.connection_string_of(id)" },
        accepts: { connection_string: ROTATED_AWAY, username: ROTATED_AWAY },
        initialValues: { health_check_status: "unknown" },
        returning: ["id"],
      },
      { parent: this, dependsOn: [databases, ...probes] },
    );
    this.registrationId = this.row.column("id");
    this.credential = credentialOf(this, name, args);
    this.maskedConnectionString = pulumi
      .all([shown.host, shown.port])
      .apply(([host, port]) => maskedConnectionString({ type: args.type, host, port }));
    this.registerOutputs({ maskedConnectionString: this.maskedConnectionString });
  }
}

function credentialOf(
  parent: RegisteredDatabase,
  name: string,
  { rotateEvery, rotationGrace: grace, adminConnectionString }: RegisteredDatabaseArgs,
): Credential | undefined {
  if (rotateEvery === undefined && grace === undefined && adminConnectionString === undefined) return undefined;
  const registration = parent.registrationId;
  return new Credential(name, { registration, rotateEvery, grace, adminConnectionString }, { parent });
}

interface CheckedConnection {
  text: string;
  parts: ConnectionParts;
}

/** The connection string after all checks; secret. An error names every fault at once. */
function checkedConnection(component: pulumi.Resource, args: RegisteredDatabaseArgs): pulumi.Output<CheckedConnection> {
  const { type, databaseName, host, port, username, database, tls } = args;
  const given: pulumi.Output<GivenParts> = pulumi.output({ type, databaseName, host, port, username, database, tls });
  return pulumi.all([pulumi.secret(args.connectionString), given]).apply(([text, known]) => {
    const checked = checkRegistration(text, known);
    if ("parts" in checked) return { text, parts: checked.parts };
    silenceLateHandlers();
    throw new pulumi.ResourceError(checked.message, component, true);
  });
}

/**
 * One refused connection string fails several outputs, and the SDK looks at some of them only after Node has
 * called them unhandled. The refusal is shown either way; Node's warnings about the order would only stand in
 * its way.
 */
function silenceLateHandlers(): void {
  if (process.listenerCount("rejectionHandled") === 0) process.on("rejectionHandled", () => {});
}

/**
 * The parts that are shown. A part that was given is used as it is, so that it shows even while the
 * connection string is not known yet; the derived ones are taken out of the secret on purpose: none of them
 * opens anything.
 */
function shownParts(connection: pulumi.Output<CheckedConnection>, args: RegisteredDatabaseArgs) {
  const derive = <T>(pick: (parts: ConnectionParts) => T) =>
    pulumi.unsecret(connection.apply(({ parts }) => pick(parts)));
  return {
    host: pulumi.output(args.host ?? derive((parts) => parts.host)),
    port: pulumi.output(args.port ?? derive((parts) => parts.port)),
    username: pulumi.output(args.username ?? derive((parts) => parts.username ?? null)),
    database: pulumi.output(args.database ?? derive((parts) => parts.database ?? null)),
    tls: pulumi.output(args.tls ?? derive((parts) => parts.tls)),
  };
}

function projectId(project: Row | pulumi.Input<string>): pulumi.Input<string> {
  return project instanceof Row ? project.column("id") : project;
}

function metadataOf(
  metadata: pulumi.Input<DatabaseMetadata> | undefined,
  host: pulumi.Output<string>,
  port: pulumi.Output<number>,
) {
  return pulumi.all([metadata, host, port]).apply(([notes, knownHost, knownPort]) => ({
    ...notes,
    endpoint: `${knownHost}:${knownPort}`,
    network: networkOf(knownHost),
  }));
}
