import { expect, it } from "vitest";
import { AccessRoles } from "../../../components/platform/AccessRoles.ts";
import { Layer } from "../../../components/resources/Layer.ts";
import { Row } from "../../../components/resources/Row.ts";
import { figures } from "../../../programs/target.ts";
import { mockPulumi, resolved } from "../../support/pulumiMocks.ts";

it("a program makes nothing of resources that are gone, and no error, in a destroy that runs it", async () => {
  const program = await mockPulumi({ isGone: true });
  const row = new Row("r", { table: "t", key: { id: 1 }, returning: ["id"] });
  const layer = new Layer("l", { name: "l", files: [] });
  expect(await resolved(row.column("id"))).toBe("");
  expect(await resolved(figures(layer).objects)).toBeUndefined();
  await program.settle(new AccessRoles("access", { manage: true }));
  expect(program.names("postgresql:index/role:Role")).toContain("studio_app");
});
