/**
 * What a shadow is, as an interface: scratch databases with given roles. `embedded.ts` and `colocated.ts`
 * implement it.
 */
import type { Pool } from "pg";

/** What a shadow must be like. */
export interface ShadowNeeds {
  /** Name of the role that connects to the target: the shadow's objects belong to a role of the same name. */
  owner: string;
  /** Roles that the SQL names. */
  roles: readonly string[];
  /**
   * With which the SQL is read: literals mean what they would in a session of the target. Default: the
   * shadow's own.
   */
  literalSettings?: Readonly<Record<string, string>>;
}

/** An empty throw-away database. */
export interface ScratchDatabase {
  pool: Pool;
  /** For reading its catalog alone: sessions that stay, so that what they have prepared is used again. */
  readers: Pool;
  /** The role that its objects belong to. */
  owner: string;
  drop(): Promise<void>;
}

/**
 * A server on which scratch databases can be made: where the SQL of a layer is executed to learn what it
 * means.
 */
export interface Shadow {
  /** Kind and exact server version; facts read from shadows of one identity are alike. */
  readonly identity: string;
  create(needs: ShadowNeeds): Promise<ScratchDatabase>;
  stop(): Promise<void>;
}
