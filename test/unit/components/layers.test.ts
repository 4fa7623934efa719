import { beforeEach, describe, expect, it } from "vitest";
import { AccessRoles } from "../../../components/platform/AccessRoles.ts";
import { DatabasesTable } from "../../../components/platform/DatabasesTable.ts";
import { PlatformSchema } from "../../../components/platform/PlatformSchema.ts";
import { RowLevelSecurity } from "../../../components/platform/RowLevelSecurity.ts";
import { Provider } from "../../../components/resources/Provider.ts";
import { type MockedProgram, mockPulumi, resolved, secretInput } from "../../support/pulumiMocks.ts";

const LAYER = "pgstrata:index:Layer";
const ROLES = ["studio_app", "studio_readonly", "studio_system", "studio_decrypt"];

let program: MockedProgram;
beforeEach(async () => {
  program = await mockPulumi();
});

function layers() {
  const target = new Provider("target", { url: "postgresql://u:secret@h/db" });
  const providers = [target];
  const access = new AccessRoles("access", { manage: false }, { providers });
  const platform = new PlatformSchema("platform", { access, allow: ["drop-column"] }, { providers });
  const databases = new DatabasesTable("databases", { platform, forceDestroy: true }, { providers });
  const rls = new RowLevelSecurity("rls", { platform, databases }, { providers });
  return { target, platform, databases, rls };
}

describe("the layers", () => {
  it("stand on one another, each with the SQL of those below it", async () => {
    const { platform, databases, rls } = layers();
    await program.settle(platform, databases, rls);

    expect(program.names(LAYER)).toEqual(["databases", "platform", "rls"]);
    const below = { name: "platform", files: ["sql/platform"] };
    const keepWithRows = ["platform_audit.decryptions"];
    expect(program.find(LAYER, "platform").inputs).toEqual({
      ...below,
      keepWithRows,
      roles: ROLES,
      allow: ["drop-column"],
    });
    expect(program.find(LAYER, "databases").inputs).toEqual({
      name: "databases",
      files: ["sql/databases"],
      base: [below],
      roles: ROLES,
      forceDestroy: true,
    });
    expect(program.find(LAYER, "rls").inputs).toEqual({
      name: "rls",
      files: ["sql/rls/common", "sql/rls/permissive"],
      base: [below, { name: "databases", files: ["sql/databases"] }],
      roles: ROLES,
    });
  });

  it("have the policies that are asked for", async () => {
    const { platform, databases } = layers();
    const isolated = new RowLevelSecurity("isolated", { platform, databases, policies: "restrictive" });
    await program.settle(isolated);
    expect(program.find(LAYER, "isolated").inputs.files).toEqual(["sql/rls/common", "sql/rls/restrictive"]);
  });

  it("are children of their components and use the provider that the component was given", async () => {
    const { target, platform, rls } = layers();
    expect(await resolved(rls.layer.urn)).toContain("pgstrata:components:RowLevelSecurity$pgstrata:index:Layer::rls");
    expect(await resolved(platform.layer.urn)).toContain(
      "pgstrata:components:PlatformSchema$pgstrata:index:Layer::platform",
    );
    await program.settle(rls);
    expect(program.find(LAYER, "rls").provider).toContain(await resolved(target.urn));
  });
});

describe("the salt of the registry", () => {
  it("is generated and written once, as a secret", async () => {
    const { databases } = layers();
    await program.settle(databases);
    const { inputs } = program.find("pgstrata:index:Row", "databases-salt");
    expect(inputs).toMatchObject({ table: "platform_private.encryption_salts", key: { name: "databases" } });
    expect(inputs).not.toHaveProperty("secretValues");
    expect(secretInput(inputs.initialSecretValues)).toEqual({ salt: "generated-for-databases-salt" });
    expect(program.find("random:index/randomPassword:RandomPassword", "databases-salt").inputs).toMatchObject({
      length: 64,
    });
  });
});

describe("the provider", () => {
  it("keeps its URL secret and carries numbers as JSON", async () => {
    const target = new Provider("target", {
      url: "postgresql://u:secret@h/db",
      lockTimeoutMs: 500,
      shadow: "embedded",
    });
    await resolved(target.urn);
    const { inputs } = program.find("pulumi:providers:pgstrata", "target");
    expect(secretInput(inputs.url)).toBe("postgresql://u:secret@h/db");
    expect(inputs).toMatchObject({ lockTimeoutMs: "500", shadow: "embedded" });
  });
});
