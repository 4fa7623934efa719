/** Which types of service there are. The registry's check constraint and its functions name the same ones. */
import { convex } from "./convex.ts";
import { mongodb } from "./mongodb.ts";
import { mysql } from "./mysql.ts";
import { neon } from "./neon.ts";
import { postgresql } from "./postgresql.ts";
import { redis } from "./redis.ts";

/** Where two types share a scheme, the first one is meant by a string alone. */
export const SERVICE_TYPES = [mongodb, redis, postgresql, mysql, neon, convex] as const;

export type DatabaseType = (typeof SERVICE_TYPES)[number]["type"];

export const DATABASE_TYPES: readonly DatabaseType[] = SERVICE_TYPES.map(({ type }) => type);

export const isDatabaseType = (type: string): type is DatabaseType => DATABASE_TYPES.some((each) => each === type);
