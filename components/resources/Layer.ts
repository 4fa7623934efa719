/**
 * The arguments and outputs of a layer as programs see them. The provider carries it out; its schema,
 * `provider/schema/layer.ts`, says the same for other languages.
 */
import * as pulumi from "@pulumi/pulumi";

/**
 * A set of SQL files under one name: what a layer is made of, and how an upper layer names the layers below
 * it.
 */
export interface LayerSource {
  /** Name of the layer, unique in the stack. */
  name: string;
  /**
   * Directories or `.sql` files, relative to the project directory. A directory stands for its `*.sql` files
   * in name order.
   */
  files: string[];
  /** Its {@link LayerArgs.renames}, where it has some. */
  renames?: Record<string, string>;
}

export interface LayerArgs {
  /**
   * Name of the layer, unique in the stack; it is also the resource's ID. A change replaces the layer: its
   * objects are dropped and made again.
   */
  name: pulumi.Input<string>;

  /**
   * What the layer is made of: directories or `.sql` files in plain declarative SQL (`CREATE …`, `GRANT …`),
   * relative to the project directory. An object that leaves the files is dropped by the next update,
   * provided that the hazard is allowed.
   * @example files: ["sql/platform"]
   */
  files: pulumi.Input<pulumi.Input<string>[]>;

  /**
   * The layers that this one stands on, lowest first. Its SQL may refer to their objects and to nothing else.
   * A change of the list alone changes nothing in the database.
   * @default []
   */
  base?: pulumi.Input<pulumi.Input<LayerSource>[]>;

  /**
   * SQL files that describe objects which exist in the database but belong to no layer; they are run in the
   * shadow only.
   * @default []
   */
  assumes?: pulumi.Input<pulumi.Input<string>[]>;

  /**
   * Roles of the cluster that the SQL names, as in `GRANT … TO studio_app`. A layer never makes them on the
   * target.
   * @default []
   */
  roles?: pulumi.Input<pulumi.Input<string>[]>;

  /**
   * Hazards of the plan that are approved, by name, such as a dropped column. A plan with any other hazard
   * is refused before the first statement. An approval counts once in a stack: a second time it needs a
   * note in brackets that tells it apart. An approval of an object that does not exist, such as in a new
   * stack, is ignored. `hand-over:app.t` leaves in place what the files no longer have, for a layer that
   * declares it now and is updated later, or in another stack.
   * @example allow: ["drop-column:app.t.a (2026-11: replaced)"]
   * @default []
   */
  allow?: pulumi.Input<pulumi.Input<string>[]>;

  /**
   * Old names of tables and columns by their new ones: what has the old name in the database is renamed, with
   * all that it holds. The same as a comment `-- renamed from: jobs` at the table's or column's line. An
   * entry may stay when its work is done.
   * @example renames: { "platform.tasks": "jobs", "platform.projects.title": "name" }
   * @default {}
   */
  renames?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /**
   * Expressions that give columns their values from the columns as they were: for a change of type without a
   * cast, or a new column. The same as a comment `-- converted by: to_timestamp(at / 1000.0)` at the column's
   * line. An entry may stay when its work is done.
   * @example conversions: { "shop.visits.at": "to_timestamp(at / 1000.0)" }
   * @default {}
   */
  conversions?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /**
   * Tables that a destroy leaves in place while they hold rows, with what is on them and what they need, such
   * as those of an audit trail. A layer that is made again adopts them.
   * @default []
   */
  keepWithRows?: pulumi.Input<pulumi.Input<string>[]>;

  /**
   * Lets a destroy drop tables that hold rows, also those of `keepWithRows`. The rows are lost.
   * @default false
   */
  forceDestroy?: pulumi.Input<boolean>;
}

/** Figures of the last run that changed something. */
export interface LayerRun {
  /** Number of statements that were run. */
  statements: number;
  /** Time inside the database, in milliseconds. */
  elapsedMs: number;
  /** Version of the server, such as `18.4`. */
  serverVersion: string;
}

/**
 * A set of database objects, applied in one transaction and held as desired state: `preview` lists what
 * differs, drift included, `destroy` drops what the layer added and refuses to drop a table that holds rows.
 *
 * ```ts
 * new Layer("notes", { name: "notes", files: ["sql/notes"] }, { provider: target });
 * ```
 *
 * Objects that existed before the layer are adopted; a destroy leaves them in place.
 */
export class Layer extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  /** Digest of the SQL of this layer; computed by the provider from the files' contents. */
  declare readonly digest: pulumi.Output<string>;
  /** Readable names of what the layer adds, such as `table platform.users`. */
  declare readonly objects: pulumi.Output<string[]>;
  /** Objects that existed before the layer. */
  declare readonly adopted: pulumi.Output<string[]>;
  /** What differed from the layer at the last refresh. */
  declare readonly drift: pulumi.Output<string[]>;
  /** Approvals that updates have used. */
  declare readonly spentApprovals: pulumi.Output<string[]>;
  declare readonly lastRun: pulumi.Output<LayerRun>;

  constructor(name: string, args: LayerArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Layer",
      name,
      {
        name: args.name,
        files: args.files,
        base: args.base,
        assumes: args.assumes,
        roles: args.roles,
        allow: args.allow,
        renames: args.renames,
        conversions: args.conversions,
        keepWithRows: args.keepWithRows,
        forceDestroy: args.forceDestroy,
        digest: undefined,
        baseDigest: undefined,
        objects: undefined,
        contribution: undefined,
        adopted: undefined,
        drift: undefined,
        spentApprovals: undefined,
        lastRun: undefined,
      },
      opts,
    );
  }
}
