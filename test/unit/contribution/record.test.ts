import { describe, expect, test } from "vitest";
import { contributionOf } from "../../../provider/contribution/contribution.ts";
import { type ContributionRecord, differences, recordOf, reversalOf } from "../../../provider/contribution/record.ts";
import { packRecord, unpackRecord } from "../../../provider/resources/layer/outputs.ts";
import {
  base,
  column,
  depends,
  extension,
  grant,
  memberOf,
  ownedBy,
  policy,
  routine,
  schema,
  table,
  view,
} from "../../support/handMadeFacts.ts";

const app = schema("app");
const users = table("app", "users");
const secured = { ...users, payload: { ...users.payload, rowSecurity: true } };
const id = column("app", "users", "id", { type: "integer" });
const everyone = policy("app", "users", "p", { usingExpr: "true" });
const empty = base([]);

const declared = base([app, secured, id, everyone]);
const contribution = contributionOf(empty, declared);

describe("a record", () => {
  test("holds what was added by identity and hash, and not its definition", () => {
    const record = recordOf(contribution, empty, undefined);
    expect(Object.keys(record.added).sort()).toEqual([
      "column:app.users.id",
      "policy:app.users.p",
      "schema:app",
      "table:app.users",
    ]);
    for (const hash of Object.values(record.added)) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(record)).not.toContain("usingExpr");
    expect(record.adopted).toEqual([]);
  });

  test("holds what was there before as adopted", () => {
    const record = recordOf(contribution, base([app, users]), undefined);
    expect(record.adopted.sort()).toEqual(["schema:app", "table:app.users"]);
    expect(record.said).toEqual([{ id: "table:app.users", attribute: "rowSecurity", value: true, adopted: false }]);
  });

  test("holds an attribute that was there before as adopted", () => {
    expect(recordOf(contribution, base([app, secured]), undefined).said).toMatchObject([{ adopted: true }]);
  });

  test("keeps what an earlier run made as the layer's own, and what it adopted as adopted", () => {
    const first = recordOf(contribution, base([app]), undefined);
    const second = recordOf(contribution, declared, first);
    expect(second.adopted).toEqual(["schema:app"]);
    expect(second.said).toMatchObject([{ adopted: false }]);
  });

  test("leaves out the members of an extension, and their privileges", () => {
    const crypto = extension("crypto");
    const digest = routine("app", "digest", "…");
    const record = recordOf(
      contributionOf(base([app]), base([app, crypto, digest, grant(digest, "PUBLIC", [])], [memberOf(digest, crypto)])),
      empty,
      undefined,
    );
    expect(Object.keys(record.added)).toEqual(["extension:crypto"]);
  });

  test("survives a state, values of 64 bits included", () => {
    const changed = contributionOf(base([app, users]), base([app, secured]));
    const record = recordOf(changed, base([app, users]), undefined);
    expect(unpackRecord(packRecord(record))).toEqual(record);
  });
});

const recorded = (): ContributionRecord => recordOf(contribution, empty, undefined);
const found = (live: ReturnType<typeof base>, record = recorded()): string[] =>
  differences(live, record).map(({ id: key, kind }) => `${kind} ${key}`);

describe("differences", () => {
  test("are none where all is as recorded, whatever else is there", () => {
    expect(found(declared)).toEqual([]);
    expect(found(base([app, secured, id, everyone, column("app", "users", "rogue"), view("app", "v", "x")]))).toEqual(
      [],
    );
  });

  test("name what is missing and what has changed", () => {
    expect(found(base([app, secured, { ...id, payload: { type: "bigint" } }]))).toEqual([
      "changed column:app.users.id",
      "missing policy:app.users.p",
    ]);
  });

  test("name an attribute that the layer says and that was undone", () => {
    expect(found(base([app, users, id, everyone]))).toEqual(["changed table:app.users"]);
  });

  test("do not name an attribute that the layer leaves open", () => {
    const open = recordOf(contributionOf(empty, base([app, users])), empty, undefined);
    expect(found(base([app, secured]), open)).toEqual([]);
  });

  test("name an owner only where the layer names one", () => {
    const named = recordOf(contributionOf(empty, base([app, users], [ownedBy(users, "owner")])), empty, undefined);
    expect(found(base([app, users], [ownedBy(users, "owner")]), named)).toEqual([]);
    expect(found(base([app, users]), named)).toEqual(["changed table:app.users"]);
    expect(found(base([app, users], [ownedBy(users, "other")]), named)).toEqual(["changed table:app.users"]);
    const silent = recordOf(contributionOf(empty, base([app, users])), empty, undefined);
    expect(found(base([app, users], [ownedBy(users, "other")]), silent)).toEqual([]);
  });

  test("name what the layer took away and what is back, and attributes of the base", () => {
    const right = grant(users, "PUBLIC", ["SELECT"]);
    const lower = base([app, users, right]);
    const record = recordOf(contributionOf(lower, base([app, secured])), lower, undefined);
    expect(found(base([app, secured]), record)).toEqual([]);
    expect(found(base([app, users, right]), record)).toEqual([
      expect.stringMatching(/^changed acl/),
      "changed table:app.users",
    ]);
    expect(found(base([app]), record)).toEqual(["missing table:app.users"]);
  });
});

describe("a reversal", () => {
  test("takes back all but what was adopted", () => {
    const record = recordOf(contribution, base([app, users]), undefined);
    const { remove, reset } = reversalOf(record);
    expect([...remove].sort()).toEqual(["column:app.users.id", "policy:app.users.p"]);
    expect(reset).toEqual([{ id: users.id, attribute: "rowSecurity", from: false, to: true }]);
  });

  test("leaves an attribute that was so before", () => {
    expect(reversalOf(recordOf(contribution, base([app, secured]), undefined)).reset).toEqual([]);
    const lower = base([app, users]);
    const change = contributionOf(lower, base([app, secured]));
    expect(reversalOf(recordOf(change, lower, undefined)).reset).toHaveLength(1);
    expect(reversalOf(recordOf(change, base([app, secured]), undefined)).reset).toEqual([]);
  });

  test("leaves what is held elsewhere", () => {
    const { remove, reset } = reversalOf(
      recorded(),
      new Set(["table:app.users", "table:app.users rowSecurity", "schema:app"]),
    );
    expect([...remove].sort()).toEqual(["column:app.users.id", "policy:app.users.p"]);
    expect(reset).toEqual([]);
  });

  test("gives back what was taken away, below its parent", () => {
    const right = grant(users, "PUBLIC", ["SELECT"]);
    const lower = base([app, users, right], [depends(users, app)]);
    const record = recordOf(contributionOf(lower, base([app, users])), lower, undefined);
    expect(reversalOf(record).restore).toEqual([right]);
  });
});

test("a state of another form is refused", () => {
  for (const value of [undefined, null, "", "2:AAAA", { added: {} }])
    expect(() => unpackRecord(value)).toThrow("Was it written by a newer one?");
});
