/**
 * The MongoDB and the Redis service on Railway: their names, client settings and placeholders. How a service
 * becomes a row is left to `RegisteredDatabase.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import type { DatabasesTable } from "../platform/DatabasesTable.ts";
import type { Row } from "../resources/Row.ts";
import type { DatabaseMetadata, MongodbSettings, RedisSettings } from "./databaseSettings.ts";
import { PlaceholderConnectionString } from "./PlaceholderConnectionString.ts";
import { type ProbeMode, RegisteredDatabase } from "./RegisteredDatabase.ts";

export interface RailwayDatabasesArgs {
  /** The registry that holds the registrations. */
  databases: DatabasesTable;
  /** The project that the services belong to: its row or its ID. */
  project: Row | pulumi.Input<string>;
  /**
   * Connection string of the MongoDB service.
   * @default a generated placeholder, registered as inactive
   */
  mongodbConnectionString?: pulumi.Input<string> | undefined;
  /**
   * Connection string of the Redis service.
   * @default a generated placeholder, registered as inactive
   */
  redisConnectionString?: pulumi.Input<string> | undefined;
  /**
   * Whether the services are probed before they are registered; a placeholder never is.
   * @default "warn"
   */
  probe?: ProbeMode | undefined;
  /**
   * How old their credentials may become, such as `30d`.
   * @default for ever
   */
  rotateEvery?: string | undefined;
  /**
   * How long a credential before stays valid beside the new one.
   * @default "1d"
   */
  rotationGrace?: string | undefined;
  /**
   * Signs in to manage the users of the MongoDB service.
   * @default its connection string
   */
  mongodbAdminConnectionString?: pulumi.Input<string> | undefined;
  /**
   * Signs in to manage the users of the Redis service.
   * @default its connection string
   */
  redisAdminConnectionString?: pulumi.Input<string> | undefined;
  /** Railway's environment that the services run in, such as `production`. */
  environment: string;
  /**
   * Railway's region that the services run in.
   * @default none is noted
   */
  region?: string | undefined;
}

const MONGODB_SETTINGS: MongodbSettings = {
  authSource: "admin",
  replicaSet: null,
  minPoolSize: 2,
  maxPoolSize: 10,
  serverSelectionTimeoutMS: 5000,
  retryWrites: true,
  directConnection: true,
};

const REDIS_SETTINGS: RedisSettings = {
  db: 0,
  keyPrefix: "studio:",
  connectTimeout: 10_000,
  commandTimeout: 5000,
  retryStrategy: { maxAttempts: 3, delay: 1000 },
  enableReadyCheck: true,
  lazyConnect: false,
};

/** What a placeholder says of a service: the names that Railway gives on its private network. */
const PLACEHOLDERS = {
  mongodb: { scheme: "mongodb", host: "mongodb.railway.internal", port: 27017, username: "mongo" },
  redis: { scheme: "redis", host: "redis.railway.internal", port: 6379, username: "default" },
} as const;

/**
 * The two services on Railway, registered as `Railway MongoDB` and `Railway Redis`.
 *
 * ```ts
 * new RailwayDatabases("railway", { databases, project: tenant.project, environment: "production" }, {
 * providers: [target] });
 * ```
 *
 * A service without a connection string is registered with a placeholder: `inactive`, so that no reader tries
 * it, and marked `placeholder` in its metadata.
 */
export class RailwayDatabases extends pulumi.ComponentResource {
  readonly mongodb: RegisteredDatabase;
  readonly redis: RegisteredDatabase;

  constructor(name: string, args: RailwayDatabasesArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:RailwayDatabases", name, {}, opts);
    this.mongodb = new RegisteredDatabase(
      `${name}-mongodb`,
      {
        ...commonArgs("mongodb", args.mongodbConnectionString, args, this),
        ...rotationOf(args.mongodbConnectionString, args.mongodbAdminConnectionString, args),
        type: "mongodb",
        databaseName: "Railway MongoDB",
        config: MONGODB_SETTINGS,
      },
      { parent: this },
    );
    this.redis = new RegisteredDatabase(
      `${name}-redis`,
      {
        ...commonArgs("redis", args.redisConnectionString, args, this),
        ...rotationOf(args.redisConnectionString, args.redisAdminConnectionString, args),
        type: "redis",
        databaseName: "Railway Redis",
        config: REDIS_SETTINGS,
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** A placeholder has no user that could be rotated. */
function rotationOf(
  connectionString: pulumi.Input<string> | undefined,
  adminConnectionString: pulumi.Input<string> | undefined,
  { rotateEvery, rotationGrace }: RailwayDatabasesArgs,
) {
  return connectionString === undefined ? {} : { rotateEvery, rotationGrace, adminConnectionString };
}

function commonArgs(
  service: keyof typeof PLACEHOLDERS,
  connectionString: pulumi.Input<string> | undefined,
  args: RailwayDatabasesArgs,
  parent: pulumi.Resource,
) {
  const { databases, project, environment, region, probe } = args;
  const metadata: DatabaseMetadata = { provider: "railway", environment, ...(region === undefined ? {} : { region }) };
  if (connectionString !== undefined)
    return { databases, project, metadata, connectionString, probe, status: "active" as const };
  const placeholder = PLACEHOLDERS[service];
  const { host, port, username } = placeholder;
  return {
    databases,
    project,
    // Given beside the string, so that a first preview shows them before the password is generated.
    host,
    port,
    username,
    tls: false,
    database: service === "mongodb" ? "admin" : "0",
    metadata: { ...metadata, placeholder: true },
    connectionString: new PlaceholderConnectionString(`${service}-placeholder`, placeholder, { parent }).value,
    probe: "off" as const,
    status: "inactive" as const,
  };
}
