/**
 * Grants of the same privileges to the same roles as one statement, in the order in which a reader looks
 * for them.
 */

const PRIVILEGES = ["usage", "create", "select", "insert", "update", "delete", "truncate", "references", "trigger"];
const GRANT =
  /^(?<verb>grant|revoke) (?<privileges>[a-z]+(?:, [a-z]+)*) on (?<kind>table |sequence |function |schema |type )(?<object>[\s\S]+) (?<to>(?:to|from) [^()]+);$/;
const BY_DEFAULT = /^(alter default privileges [\s\S]*?(?:grant|revoke) )([a-z]+(?:, [a-z]+)*) on /;
const WIDTH = 110;

/**
 * @param grants statements as `SqlStyle` writes them. One of another form stays as it is.
 */
export function mergedGrants(grants: readonly string[]): string[] {
  const merged = new Map<string, { head: string; objects: string[]; to: string }>();
  for (const grant of grants) {
    const { verb, privileges, kind, object, to } = GRANT.exec(grant)?.groups ?? {};
    if (privileges === undefined || kind === undefined || object === undefined || to === undefined) {
      const text = grant.replace(BY_DEFAULT, (_, before: string, names: string) => `${before}${inOrder(names)} on `);
      merged.set(text, { head: text, objects: [], to: "" });
      continue;
    }
    const head = `${verb} ${inOrder(privileges)} on ${kind === "table " ? "" : kind}`;
    const key = `${head}\n${to}`;
    const found = merged.get(key);
    if (found === undefined) merged.set(key, { head, objects: [object], to });
    else if (!found.objects.includes(object)) found.objects.push(object);
  }
  return [...merged.values()].map(({ head, objects, to }) => {
    if (objects.length === 0) return head;
    const line = `${head}${objects.join(", ")} ${to};`;
    return objects.length === 1 || (objects.length < 4 && line.length <= WIDTH)
      ? line
      : `${head.trimEnd()}\n  ${objects.join(",\n  ")}\n${to};`;
  });
}

function inOrder(privileges: string): string {
  const rank = (privilege: string): number => {
    const n = PRIVILEGES.indexOf(privilege);
    return n === -1 ? PRIVILEGES.length : n;
  };
  return privileges
    .split(", ")
    .sort((a, b) => rank(a) - rank(b))
    .join(", ");
}
