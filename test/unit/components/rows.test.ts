import { beforeEach, describe, expect, it } from "vitest";
import { AccessRoles } from "../../../components/platform/AccessRoles.ts";
import { BillingPlans } from "../../../components/platform/BillingPlans.ts";
import { PlatformSchema } from "../../../components/platform/PlatformSchema.ts";
import { Tenant } from "../../../components/platform/Tenant.ts";
import { Row } from "../../../components/resources/Row.ts";
import { Rows } from "../../../components/resources/Rows.ts";
import { type MockedProgram, mockPulumi, secretInput } from "../../support/pulumiMocks.ts";

const ROW = "pgstrata:index:Row";

let program: MockedProgram;
let platform: PlatformSchema;
beforeEach(async () => {
  program = await mockPulumi();
  platform = new PlatformSchema("platform", { access: new AccessRoles("access", { manage: false }) });
});

describe("Row", () => {
  it("makes its secret columns secret, whatever it is given", async () => {
    const row = new Row("r", { table: "t", key: { id: 1 }, secretValues: { a: "x" }, initialSecretValues: { b: "y" } });
    await program.settle(row);
    const { inputs } = program.find(ROW, "r");
    expect(secretInput(inputs.secretValues)).toEqual({ a: "x" });
    expect(secretInput(inputs.initialSecretValues)).toEqual({ b: "y" });
  });
});

describe("Rows", () => {
  it("makes rows with secret columns secret", async () => {
    const given = { table: "t", key: ["id"], rows: [{ id: 1, a: "x" }] };
    const [plain, secret] = [new Rows("p", given), new Rows("s", { ...given, secretColumns: ["a"] })];
    await program.settle(plain, secret);
    expect(program.find("pgstrata:index:Rows", "p").inputs).toEqual(given);
    expect(secretInput(program.find("pgstrata:index:Rows", "s").inputs.rows)).toEqual(given.rows);
  });
});

describe("Tenant", () => {
  it("matches organization and project by slug and writes everything else only when it creates them", async () => {
    const tenant = new Tenant("tenant", {
      platform,
      organization: { slug: "lancio", name: "Lancio" },
      project: {
        slug: "studio",
        name: "Studio",
        ref: "studio-ref",
        databaseHost: "db",
        databasePort: 5432,
        databaseName: "app",
        databaseUser: "me",
        postgresMetaUrl: "http://meta",
        supabaseUrl: "http://api",
      },
    });
    await program.settle(tenant);

    expect(program.find(ROW, "lancio").inputs).toEqual({
      table: "platform.organizations",
      key: { slug: "lancio" },
      initialValues: { name: "Lancio" },
      returning: ["id"],
    });
    const { initialSecretValues, ...project } = program.find(ROW, "studio").inputs;
    expect(secretInput(initialSecretValues)).toEqual({ database_password: "generated-for-studio-database-password" });
    expect(project).toEqual({
      table: "platform.projects",
      key: { organization_id: "id-of-lancio", slug: "studio" },
      initialValues: {
        name: "Studio",
        ref: "studio-ref",
        database_host: "db",
        database_port: 5432,
        database_name: "app",
        database_user: "me",
        postgres_meta_url: "http://meta",
        supabase_url: "http://api",
      },
      returning: ["id"],
    });
  });
});

describe("BillingPlans", () => {
  it("holds the four plans at the values of the catalogue", async () => {
    const plans = new BillingPlans("plans", { platform });
    await program.settle(plans);

    const rows = ["tier_free", "tier_pro", "tier_team", "tier_enterprise"].map((id) => program.find(ROW, id).inputs);
    const summary = rows.map(({ key, values }) => ({ key, ...Object(values) }));
    const plan = (
      id: string,
      name: string,
      price: string,
      projects: number,
      members: number,
      sizes: number[],
      order: number,
    ) => ({
      key: { id },
      name,
      price,
      interval: "month",
      max_projects: projects,
      max_members: members,
      limits: {
        max_projects: projects,
        max_members: members,
        disk_gb: sizes[0],
        bandwidth_gb: sizes[1],
        storage_gb: sizes[2],
      },
      features: expect.any(Array),
      sort_order: order,
    });
    expect(summary).toEqual([
      plan("tier_free", "Free", "0.00", 2, 5, [0.5, 2, 1], 1),
      plan("tier_pro", "Pro", "25.00", 10, 25, [8, 250, 100], 2),
      plan("tier_team", "Team", "599.00", -1, 100, [-1, -1, -1], 3),
      plan("tier_enterprise", "Enterprise", "0.00", -1, -1, [-1, -1, -1], 4),
    ]);
    expect(summary.map(({ features }) => features.length)).toEqual([4, 4, 4, 5]);
  });
});
