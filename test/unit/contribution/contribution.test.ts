import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describe as nameOf } from "../../../provider/catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase } from "../../../provider/catalog/pgDelta.ts";
import {
  applyContribution,
  conflicts,
  contributionOf,
  MissingBaseObject,
  nothing,
  revertContribution,
  unmanagedDescendants,
} from "../../../provider/contribution/contribution.ts";
import { ownedIds, recordOf, reversalOf } from "../../../provider/contribution/record.ts";
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
const id = column("app", "users", "id", { type: "integer" });
const email = column("app", "users", "email", { type: "text" });
const emails = view("app", "emails", "select email");
const onUsers = policy("app", "users", "p", { usingExpr: "true" });
const below = base([app, users, id]);

const names = (facts: FactBase): string[] =>
  facts
    .facts()
    .map((fact) => nameOf(fact.id))
    .sort();
const keys = (...facts: Fact[]): Set<string> => new Set(facts.map((fact) => encodeId(fact.id)));
const reversal = { remove: new Set<string>(), restore: [], reset: [] };

describe("a contribution", () => {
  test("is what the layer adds, takes away and changes, edges included", () => {
    const top = base(
      [app, { ...users, payload: { ...users.payload, rowSecurity: true } }, email, emails],
      [depends(emails, email)],
    );
    const { added, removed, changed, linked, unlinked } = contributionOf(below, top);
    expect(added.map((fact) => nameOf(fact.id)).sort()).toEqual(["column app.users.email", "view app.emails"]);
    expect(removed.map((fact) => nameOf(fact.id))).toEqual(["column app.users.id"]);
    expect(changed).toEqual([{ id: users.id, attribute: "rowSecurity", from: false, to: true }]);
    expect(linked).toEqual([depends(emails, email)]);
    expect(unlinked).toEqual([]);
  });

  test("of a layer that adds nothing is nothing", () => {
    expect(contributionOf(below, base([app, users, id]))).toEqual(nothing);
  });
});

describe("live plus a contribution", () => {
  const contribution = contributionOf(
    below,
    base([app, { ...users, payload: { ...users.payload, rowSecurity: true } }, id, onUsers]),
  );

  test("has both, and keeps what nobody declares", () => {
    const rogue = column("app", "users", "rogue");
    const desired = applyContribution(base([app, users, id, rogue]), contribution);
    expect(names(desired)).toEqual([
      "column app.users.id",
      "column app.users.rogue",
      "policy p on app.users",
      "schema app",
      "table app.users",
    ]);
    expect(desired.get(users.id)?.payload.rowSecurity).toBe(true);
  });

  test("is refused when an object that it changes is not there", () => {
    expect(() => applyContribution(base([app]), { ...contribution, added: [] })).toThrow(MissingBaseObject);
  });

  test("is refused when the parent of what it adds is not there", () => {
    expect(() => applyContribution(base([app]), { ...contribution, changed: [] })).toThrow(
      "table:app.users is missing",
    );
  });

  test("is refused when what it depends on is not there", () => {
    const withView = contributionOf(
      base([app, users, email]),
      base([app, users, email, emails], [depends(emails, email)]),
    );
    expect(() => applyContribution(base([app, users]), withView)).toThrow("column:app.users.email is missing");
  });

  test("keeps what a declared table leaves open as it is", () => {
    const declaring = contributionOf(base([app]), base([app, users, id]));
    const secured = { ...users, payload: { ...users.payload, rowSecurity: true } };
    expect(applyContribution(base([app, secured, id]), declaring).get(users.id)?.payload.rowSecurity).toBe(true);
  });

  test("overrides what a declared table says", () => {
    const secured = { ...users, payload: { ...users.payload, rowSecurity: true } };
    const declaring = contributionOf(base([app]), base([app, secured, id]));
    expect(applyContribution(below, declaring).get(users.id)?.payload.rowSecurity).toBe(true);
  });

  test("replaces what an object depended on", () => {
    const old = base([app, users, id, email, emails], [depends(emails, id)]);
    const declaring = contributionOf(
      base([app, users, email]),
      base([app, users, email, emails], [depends(emails, email)]),
    );
    expect(applyContribution(old, declaring).edges).toEqual([depends(emails, email)]);
  });

  test("keeps an owner that the layer does not name, and replaces one that it names", () => {
    const owned = base([app, users], [ownedBy(users, "somebody")]);
    const silent = contributionOf(base([app]), base([app, users]));
    expect(applyContribution(owned, silent).edges).toEqual([ownedBy(users, "somebody")]);
    const naming = contributionOf(base([app]), base([app, users], [ownedBy(users, "owner")]));
    expect(applyContribution(owned, naming).edges).toEqual([ownedBy(users, "owner")]);
  });
});

describe("live minus a reversal", () => {
  test("loses what is below a removed object, and edges that lead there", () => {
    const live = base([app, users, id, email, emails, onUsers], [depends(emails, email)]);
    const rest = revertContribution(live, { ...reversal, remove: keys(users) });
    expect(names(rest)).toEqual(["schema app", "view app.emails"]);
    expect(rest.edges).toEqual([]);
  });

  test("loses the members of a removed extension, although they are children of a schema", () => {
    const crypto = extension("crypto");
    const digest = routine("app", "digest", "…");
    expect(
      names(
        revertContribution(base([app, crypto, digest], [memberOf(digest, crypto)]), {
          ...reversal,
          remove: keys(crypto),
        }),
      ),
    ).toEqual(["schema app"]);
  });

  test("gets back what was taken away, unless its parent is gone", () => {
    const right = grant(users, "app", ["SELECT"]);
    expect(names(revertContribution(below, { ...reversal, restore: [right] }))).toContain(
      "privileges of app on table app.users",
    );
    expect(names(revertContribution(base([app]), { ...reversal, restore: [right] }))).toEqual(["schema app"]);
  });

  test("gets a table back with its columns, in whatever order they are named", () => {
    expect(names(revertContribution(base([app]), { ...reversal, restore: [id, users] }))).toEqual([
      "column app.users.id",
      "schema app",
      "table app.users",
    ]);
  });

  test("resets attributes of what is still there", () => {
    const reset = [{ id: users.id, attribute: "rowSecurity", from: true, to: false }];
    expect(revertContribution(below, { ...reversal, reset }).get(users.id)?.payload.rowSecurity).toBe(true);
    expect(names(revertContribution(base([app]), { ...reversal, reset }))).toEqual(["schema app"]);
  });
});

describe("conflicts", () => {
  const nobodys = base([]);
  const changing = (to: Fact, edges = base([app, users, id, email]).edges) =>
    contributionOf(base([app, users, id, email]), base([app, users, id, to], [...edges]));
  const foundIn = (...[from, none, contribution]: Parameters<typeof conflicts>): string[] =>
    conflicts(from, none, contribution).map(nameOf);
  const full = base([app, users, id, email]);

  test("are changes of what a layer of the base declares", () => {
    expect(foundIn(full, nobodys, changing({ ...email, payload: { type: "citext" } }))).toEqual([
      "column app.users.email",
    ]);
  });

  test("are removals, too", () => {
    expect(foundIn(full, nobodys, contributionOf(full, below))).toEqual(["column app.users.email"]);
  });

  test("are other owners, too", () => {
    expect(
      foundIn(full, nobodys, contributionOf(full, base([app, users, id, email], [ownedBy(users, "owner")]))),
    ).toEqual(["table app.users"]);
  });

  test("are not changes of what is only assumed", () => {
    expect(foundIn(full, full, changing({ ...email, payload: { type: "citext" } }))).toEqual([]);
  });

  test("are not changes of what a table leaves open, but of what it says", () => {
    const secured = { ...users, payload: { ...users.payload, rowSecurity: true } };
    expect(foundIn(base([app, users]), nobodys, contributionOf(base([app, users]), base([app, secured])))).toEqual([]);
    expect(foundIn(base([app, secured]), nobodys, contributionOf(base([app, secured]), base([app, users])))).toEqual([
      "table app.users",
    ]);
  });
});

test("foreign descendants are what lies below the roots and is not known", () => {
  const rogue = policy("app", "users", "rogue");
  const other = table("app", "other");
  const live = base([app, users, id, onUsers, rogue, grant(rogue, "x", []), other]);
  const found = unmanagedDescendants(live, keys(users), keys(users, id, onUsers))
    .map(nameOf)
    .sort();
  expect(found).toEqual(["policy rogue on app.users", "privileges of x on policy rogue on app.users"]);
});

/**
 * Any small database: schemas, tables, columns and policies, each with one of a few payloads, and some edges.
 */
const anyDatabase: fc.Arbitrary<FactBase> = fc
  .array(
    fc.tuple(
      fc.constantFrom("a", "b"),
      fc.constantFrom("t", "u"),
      fc.constantFrom("x", "y", "z"),
      fc.integer({ min: 0, max: 2 }),
      fc.boolean(),
      fc.boolean(),
    ),
    { maxLength: 8 },
  )
  .map((parts) => {
    const facts = new Map<string, Fact>();
    const add = (fact: Fact): void => void facts.set(encodeId(fact.id), fact);
    for (const [schemaName, tableName, name, version, secured, isPolicy] of parts) {
      add(schema(schemaName));
      add(table(schemaName, tableName, { rowSecurity: secured }));
      const part = isPolicy
        ? policy(schemaName, tableName, name, { version })
        : column(schemaName, tableName, name, { version });
      add(part);
    }
    const all = [...facts.values()];
    return base(
      all,
      all
        .flatMap((fact) => (fact.payload.version === 1 ? [depends(fact, schema("a"))] : []))
        .filter(() => facts.has("schema:a")),
    );
  });

describe("for any two databases", () => {
  test("the lower one plus the contribution is the upper one", () => {
    fc.assert(
      fc.property(anyDatabase, anyDatabase, (lower, upper) => {
        expect(applyContribution(lower, contributionOf(lower, upper)).rootHash).toBe(upper.rootHash);
      }),
    );
  });

  test("a contribution worked in twice is worked in once", () => {
    fc.assert(
      fc.property(anyDatabase, anyDatabase, (lower, upper) => {
        const contribution = contributionOf(lower, upper);
        const once = applyContribution(lower, contribution);
        expect(applyContribution(once, contribution).rootHash).toBe(once.rootHash);
      }),
    );
  });

  test("the facts of the upper one minus the reversal of its record are those of the lower one", () => {
    fc.assert(
      fc.property(anyDatabase, anyDatabase, (lower, upper) => {
        const record = recordOf(contributionOf(lower, upper), lower, undefined);
        const back = revertContribution(upper, reversalOf(record));
        expect(names(back)).toEqual(names(lower));
        for (const fact of lower.facts()) expect(back.get(fact.id)?.payload).toEqual(fact.payload);
      }),
    );
  });

  test("a reversal of which all is held elsewhere changes nothing", () => {
    fc.assert(
      fc.property(anyDatabase, anyDatabase, (lower, upper) => {
        const record = recordOf(contributionOf(lower, upper), lower, undefined);
        expect(revertContribution(upper, reversalOf(record, new Set(ownedIds(record)))).rootHash).toBe(upper.rootHash);
      }),
    );
  });
});
