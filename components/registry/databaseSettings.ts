/**
 * Which client settings and notes a registration may carry, by type of database. They are shown to all
 * readers of the registry, so none of them is a secret.
 */

import type { DatabaseType } from "../../provider/services/serviceTypes.ts";

/**
 * Settings of a MongoDB client. Never put a secret here: the registry shows settings to its readers and
 * refuses secrets.
 */
export type MongodbSettings = {
  /** Database that holds the user's credentials. */
  authSource?: string;
  /** Name of the replica set; null for a server that is not a member of one. */
  replicaSet?: string | null;
  /** Connections that the pool keeps open. */
  minPoolSize?: number;
  /** Connections that the pool opens at most. */
  maxPoolSize?: number;
  /** Longest wait for a usable server, in milliseconds. */
  serverSelectionTimeoutMS?: number;
  /** Whether the driver repeats a write that failed for a passing reason; works on replica sets only. */
  retryWrites?: boolean;
  /** Whether the driver talks to the named host only and discovers no other members. */
  directConnection?: boolean;
};

/** Settings of a Redis client. Never put a secret here. */
export type RedisSettings = {
  /** Database number. */
  db?: number;
  /** Put before every key. */
  keyPrefix?: string;
  /** Longest wait for a connection, in milliseconds. */
  connectTimeout?: number;
  /** Longest wait for one command, in milliseconds. */
  commandTimeout?: number;
  retryStrategy?: {
    /** Attempts before the client gives up. */
    maxAttempts: number;
    /** Pause between two attempts, in milliseconds. */
    delay: number;
  };
  /** Whether the client waits until the server has loaded its data. */
  enableReadyCheck?: boolean;
  /** Whether the client connects at its first command only. */
  lazyConnect?: boolean;
};

/** Settings of a PostgreSQL client. Never put a secret here. */
export type PostgresqlSettings = {
  /** Connections that the pool keeps open. */
  minPoolSize?: number;
  /** Connections that the pool opens at most. */
  maxPoolSize?: number;
  /** Longest wait for a connection, in milliseconds. */
  connectTimeout?: number;
  /** Longest run of one statement, in milliseconds; 0 for no limit. */
  statementTimeout?: number;
  /** Schema that unqualified names refer to. */
  schema?: string;
};

/** Settings of a MySQL client. Never put a secret here. */
export type MysqlSettings = {
  /** Connections that the pool opens at most. */
  connectionLimit?: number;
  /** Longest wait for a connection, in milliseconds. */
  connectTimeout?: number;
};

/** Settings that each type has. */
export type CommonSettings = {
  /**
   * Authorities that sign the certificate of the service, as PEM, where those of the system do not. Probes
   * and clients verify with them.
   */
  ca?: string;
};

/** The settings that only one type has. */
interface OwnSettings {
  mongodb: MongodbSettings;
  redis: RedisSettings;
  postgresql: PostgresqlSettings;
  mysql: MysqlSettings;
  neon: PostgresqlSettings;
}

/** The settings that fit each type of database. */
export type DatabaseSettings = {
  [Type in DatabaseType]: CommonSettings & (Type extends keyof OwnSettings ? OwnSettings[Type] : unknown);
};

/**
 * Notes on a registered database. `endpoint` (`host:port`) and `network` are added by the registration
 * itself: both follow from the connection string.
 */
export type DatabaseMetadata = {
  /** Who runs the service, such as `railway`. */
  provider?: string;
  /** The provider's environment that the service belongs to, such as `production`. */
  environment?: string;
  /** Region of the provider. */
  region?: string;
  /** True where the connection string is made up, because the stack has none yet. */
  placeholder?: boolean;
};
