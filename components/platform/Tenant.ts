/**
 * The organization and the project that registrations belong to, as rows that are matched by slug. Database
 * services of the project are registered by `registry/`.
 */
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { Row } from "../resources/Row.ts";
import type { PlatformSchema } from "./PlatformSchema.ts";

export interface OrganizationArgs {
  /**
   * URL identifier: lower-case letters, digits and hyphens, two or more characters. It identifies the
   * organization; a change registers another one.
   */
  slug: string;
  /** Name for people; written when the organization is created, left alone afterwards. */
  name: string;
}

export interface ProjectArgs {
  /** URL identifier. With the organization it identifies the project; a change makes another one. */
  slug: string;
  /**
   * Name for people. Like all that follows, it is written when the project is created and left alone
   * afterwards.
   */
  name: string;
  /**
   * Public reference: lower-case letters, digits and hyphens, two or more characters, unique on the platform.
   */
  ref: string;
  /** Host of the project's primary database. */
  databaseHost: string;
  /** Port of the project's primary database, 1 to 65535. */
  databasePort: number;
  /** Name of the project's primary database. */
  databaseName: string;
  /** User of the project's primary database. */
  databaseUser: string;
  /** Address of the project's metadata service, a URL. */
  postgresMetaUrl: string;
  /** Address of the project's API, a URL. */
  supabaseUrl: string;
}

export interface TenantArgs {
  /** The schema that holds the rows. */
  platform: PlatformSchema;
  organization: OrganizationArgs;
  project: ProjectArgs;
}

/**
 * An organization and one project of it: what registrations hang on.
 *
 * ```ts
 * const tenant = new Tenant("lancio", { platform, organization, project }, { providers: [target] });
 * ```
 *
 * Rows that exist already are matched by slug and adopted as they are. A new project gets a generated
 * database password, which people may change later. A destroy deletes the rows that were created here, and is
 * refused while other rows hang on them.
 */
export class Tenant extends pulumi.ComponentResource {
  readonly organization: Row;
  readonly project: Row;

  constructor(name: string, args: TenantArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:Tenant", name, {}, opts);
    this.organization = organizationRow(args, this);
    this.project = projectRow(args, this.organization, this);
    this.registerOutputs({});
  }
}

function organizationRow({ platform, organization }: TenantArgs, parent: pulumi.Resource): Row {
  return new Row(
    organization.slug,
    {
      table: "platform.organizations",
      key: { slug: organization.slug },
      initialValues: { name: organization.name },
      returning: ["id"],
    },
    { parent, dependsOn: [platform] },
  );
}

function projectRow({ platform, project }: TenantArgs, organization: Row, parent: pulumi.Resource): Row {
  const password = new RandomPassword(`${project.slug}-database-password`, { length: 32, special: false }, { parent });
  return new Row(
    project.slug,
    {
      table: "platform.projects",
      key: { organization_id: organization.column("id"), slug: project.slug },
      initialValues: {
        name: project.name,
        ref: project.ref,
        database_host: project.databaseHost,
        database_port: project.databasePort,
        database_name: project.databaseName,
        database_user: project.databaseUser,
        postgres_meta_url: project.postgresMetaUrl,
        supabase_url: project.supabaseUrl,
      },
      initialSecretValues: { database_password: password.result },
      returning: ["id"],
    },
    { parent, dependsOn: [platform] },
  );
}
