import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it } from "vitest";
import { AccessRoles } from "../../../components/platform/AccessRoles.ts";
import { scramVerifier } from "../../../provider/services/scramVerifier.ts";
import { type MockedProgram, mockPulumi, resolved, secretInput } from "../../support/pulumiMocks.ts";

const ROLE = "postgresql:index/role:Role";
const GRANT = "postgresql:index/grantRole:GrantRole";

let program: MockedProgram;
beforeEach(async () => {
  program = await mockPulumi();
});

describe("AccessRoles", () => {
  it("makes three logins, of which the server gets a secret verifier and no password, and a group without a login", async () => {
    const access = new AccessRoles("access");
    await program.settle(access);

    expect(program.names(ROLE)).toEqual(["studio_app", "studio_decrypt", "studio_readonly", "studio_system"]);
    for (const name of ["studio_app", "studio_readonly", "studio_system"]) {
      const { inputs } = program.find(ROLE, name);
      expect(inputs).toMatchObject({ name, login: true });
      const salt = Buffer.from(`${name}-salt`).toString("base64");
      expect(secretInput(inputs.password)).toBe(scramVerifier(`generated-for-${name}`, salt));
    }
    expect(program.find(ROLE, "studio_decrypt").inputs).toEqual({ name: "studio_decrypt", login: false });
  });

  it("gives the passwords out as secrets", async () => {
    const { passwords } = new AccessRoles("access");
    expect(await resolved(pulumi.output(passwords))).toEqual({
      studio_app: "generated-for-studio_app",
      studio_readonly: "generated-for-studio_readonly",
      studio_system: "generated-for-studio_system",
    });
    const secret = await Promise.all(Object.values(passwords).map((password) => pulumi.isSecret(password)));
    expect(secret).toEqual([true, true, true]);
  });

  it("lets nobody decrypt unless named", async () => {
    const access = new AccessRoles("access");
    await program.settle(access);
    expect(program.names(GRANT)).toEqual([]);
  });

  it("makes the decryptors members of studio_decrypt", async () => {
    const access = new AccessRoles("access", { decryptors: ["health_checker", "studio_app"] });
    await program.settle(access);
    expect(program.find(GRANT, "health_checker-decrypts").inputs).toEqual({
      role: "health_checker",
      grantRole: "studio_decrypt",
    });
    // A membership of a role made here is one of its own properties; a second resource for it would be drift
    // to the first.
    expect(program.names(GRANT)).toEqual(["health_checker-decrypts"]);
    expect(program.find(ROLE, "studio_app").inputs.roles).toEqual(["studio_decrypt"]);
    expect(program.find(ROLE, "studio_readonly").inputs).not.toHaveProperty("roles");
  });

  it("makes nothing where another stack makes the roles, but knows their names", async () => {
    const access = new AccessRoles("access", { manage: false });
    await program.settle(access);
    expect(program.names(ROLE)).toEqual([]);
    expect(access.passwords).toEqual({});
    expect(access.names).toEqual(["studio_app", "studio_readonly", "studio_system", "studio_decrypt"]);
  });

  it("refuses decryptors where the roles are not made", () => {
    expect(() => new AccessRoles("access", { manage: false, decryptors: ["x"] })).toThrow(
      /name them in the stack that creates the roles\nPS617 · docs\/errors\/PS617\.md$/,
    );
  });
});
