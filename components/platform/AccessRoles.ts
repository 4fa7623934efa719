/**
 * Which roles applications connect as, who may decrypt, and what happens to them on destroy. What the roles
 * may do is granted in the layers' SQL; the `postgresql` provider creates them.
 */

import { GrantRole, Role } from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { RandomId, RandomPassword } from "@pulumi/random";
import { scramVerifier } from "../../provider/services/scramVerifier.ts";
import { withReferences } from "../program/errorCodes.ts";

/** Names of the roles; the SQL of the layers names them literally. */
export const ACCESS_ROLES = {
  /** Reads and writes rows under row-level security; sees no secret. May log in. */
  app: "studio_app",
  /** Reads rows; sees no secret. May log in. */
  readonly: "studio_readonly",
  /** Background work: reads and writes the rows of all tenants; sees no secret. May log in. */
  system: "studio_system",
  /**
   * May decrypt connection strings and read the secrets of projects. Cannot log in: other roles are made
   * members of it.
   */
  decrypt: "studio_decrypt",
} as const;

export interface AccessRolesArgs {
  /**
   * Whether this stack makes the roles. Roles belong to the whole server: where another stack on the same
   * server makes them already, say false; the roles must then exist. Going from true to false drops the
   * roles, which the server refuses while another database still grants them something.
   * @default true
   */
  manage?: boolean;

  /**
   * Roles that may decrypt, such as the login of a health checker. Each becomes a member of `studio_decrypt`
   * and must exist. A name that leaves the list loses the membership at once.
   * @default []
   */
  decryptors?: string[];
}

/**
 * The roles that applications connect as, with generated passwords.
 *
 * ```ts
 * const access = new AccessRoles("access", { decryptors: ["health_checker"] }, { providers:
 * [postgresqlProvider] }); export const passwords = access.passwords; // secret
 * ```
 *
 * The server gets a SCRAM-SHA-256 verifier and no password: none is in a statement or a log of the server.
 *
 * Destroying it drops the roles and ends their sign-in; objects that they own go to the connecting role.
 * Roles belong to the whole server: where another of its databases still grants a role something, or has
 * objects of it, the server keeps the role. Run in that database `REASSIGN OWNED BY studio_app TO owner; DROP
 * OWNED BY studio_app;`, and destroy again.
 */
export class AccessRoles extends pulumi.ComponentResource {
  /** Names of the four roles, made here or not. */
  readonly names: string[] = Object.values(ACCESS_ROLES);
  /**
   * Passwords of the roles that may log in, by role name; secret. Empty where the roles are not made here.
   */
  readonly passwords: Record<string, pulumi.Output<string>> = {};

  constructor(name: string, args: AccessRolesArgs = {}, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:AccessRoles", name, {}, opts);
    const { manage = true, decryptors = [] } = args;
    if (manage) {
      const decrypt = new Role(ACCESS_ROLES.decrypt, { name: ACCESS_ROLES.decrypt, login: false }, { parent: this });
      const groupsOf = (role: string): Role[] => (decryptors.includes(role) ? [decrypt] : []);
      const app = loginRole(ACCESS_ROLES.app, groupsOf(ACCESS_ROLES.app), this);
      const readonly = loginRole(ACCESS_ROLES.readonly, groupsOf(ACCESS_ROLES.readonly), this);
      const system = loginRole(ACCESS_ROLES.system, groupsOf(ACCESS_ROLES.system), this);
      grantMembership(
        decryptors.filter((member) => !this.names.includes(member)),
        decrypt,
        this,
      );
      this.passwords = {
        [ACCESS_ROLES.app]: app,
        [ACCESS_ROLES.readonly]: readonly,
        [ACCESS_ROLES.system]: system,
      };
    } else if (decryptors.length > 0) {
      throw new pulumi.ResourceError(
        withReferences(
          "decryptors are given, but the roles are not created here (manage: false); name them in the stack that creates the roles",
          ["PS617"],
        ),
        this,
        true,
      );
    }
    this.registerOutputs({});
  }
}

/** As long as the salts that the server makes. */
const SALT_BYTES = 16;

function loginRole(name: string, groups: Role[], parent: pulumi.Resource): pulumi.Output<string> {
  const password = pulumi.secret(new RandomPassword(name, { length: 32, special: false }, { parent }).result);
  const salt = new RandomId(`${name}-salt`, { byteLength: SALT_BYTES }, { parent }).b64Std;
  const verifier = pulumi.all([password, salt]).apply(([text, random]: (string | undefined)[]) =>
    // A destroy that runs the program may have neither any more.
    text === undefined || random === undefined ? "" : scramVerifier(text, random),
  );
  const roles = groups.map((group) => group.name);
  new Role(name, { name, login: true, password: verifier, ...(roles.length > 0 ? { roles } : {}) }, { parent });
  return password;
}

/**
 * Roles made elsewhere. One made here has its memberships among its own properties: `GrantRole` would be
 * drift to it.
 */
function grantMembership(members: string[], group: Role, parent: pulumi.Resource): void {
  for (const member of members)
    new GrantRole(`${member}-decrypts`, { role: member, grantRole: group.name }, { parent });
}
