import { buildFactBase } from "../../provider/catalog/factBase.ts";
import type { DependencyEdge, Fact, FactBase, Payload } from "../../provider/catalog/pgDelta.ts";
import { keepOwnerEdge } from "../../provider/catalog/readCatalog.ts";

/** Facts without a database, as short as a test wants them. */
export const schema = (name: string): Fact => ({ id: { kind: "schema", name }, payload: {} });

export const table = (schemaName: string, name: string, payload: Payload = {}): Fact => ({
  id: { kind: "table", schema: schemaName, name },
  parent: { kind: "schema", name: schemaName },
  payload: {
    rowSecurity: false,
    forceRowSecurity: false,
    replicaIdentity: "d",
    replicaIdentityIndex: null,
    reloptions: null,
    ...payload,
  },
});

const onTable =
  (kind: "column" | "policy" | "trigger" | "constraint") =>
  (schemaName: string, tableName: string, name: string, payload: Payload = {}): Fact => ({
    id: { kind, schema: schemaName, table: tableName, name },
    parent: { kind: "table", schema: schemaName, name: tableName },
    payload,
  });

export const column = onTable("column");
export const policy = onTable("policy");
export const constraint = onTable("constraint");

export const view = (schemaName: string, name: string, def: string): Fact => ({
  id: { kind: "view", schema: schemaName, name },
  parent: { kind: "schema", name: schemaName },
  payload: { def, reloptions: null },
});

export const routine = (schemaName: string, name: string, def: string): Fact => ({
  id: { kind: "function", schema: schemaName, name, args: [] },
  parent: { kind: "schema", name: schemaName },
  payload: { def },
});

export const extension = (name: string): Fact => ({ id: { kind: "extension", name }, payload: {} });

export const grant = (target: Fact, grantee: string, privileges: string[]): Fact => ({
  id: { kind: "acl", target: target.id, grantee },
  parent: target.id,
  payload: { privileges, grantable: [] },
});

export const depends = (from: Fact, to: Fact): DependencyEdge => ({ from: from.id, to: to.id, kind: "depends" });
export const ownedBy = (fact: Fact, role: string): DependencyEdge => ({
  from: fact.id,
  to: { kind: "role", name: role },
  kind: "owner",
});
export const memberOf = (fact: Fact, owner: Fact): DependencyEdge => ({
  from: fact.id,
  to: owner.id,
  kind: "memberOfExtension",
});

export const base = (facts: Fact[], edges: DependencyEdge[] = []): FactBase =>
  buildFactBase(facts, edges, "snapshot", { allowDangling: keepOwnerEdge });
