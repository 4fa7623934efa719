/**
 * Which functions a policy calls, and whether for each row. That is read from the stored tree of its
 * expression: only there a call within a subselect is told from one beside it for sure.
 */

/** A call in an expression. */
export interface PolicyCall {
  /** The function's oid. */
  oid: string;
  /** Whether an argument is a column, so that the result differs from row to row. */
  isOfColumn: boolean;
  /** Whether it stands in a subselect without FROM, or is one's FROM: the server calls it once. */
  isOnce: boolean;
}

interface Node {
  kind: string;
  parent: Node | undefined;
  oid?: string;
  hasColumn: boolean;
  hasFrom: boolean;
}

/** Of a `pg_node_tree`: braces that open a node and close one, and the two fields that matter. */
const TOKEN = /\\.|\{(?<open>[A-Z][A-Z0-9_]*)|(?<close>\})|:funcid (?<oid>\d+)|:rtable (?<from>\S)/gs;

/** The calls in an expression, the outermost first. */
export function policyCalls(tree: string): PolicyCall[] {
  const calls: Node[] = [];
  let node: Node | undefined;
  for (const { groups = {} } of tree.matchAll(TOKEN)) {
    const { open, close, oid, from } = groups;
    if (open !== undefined) {
      node = { kind: open, parent: node, hasColumn: false, hasFrom: false };
      if (open === "VAR") for (const each of upwards(node)) each.hasColumn = true;
    } else if (close !== undefined) node = node?.parent;
    else if (oid !== undefined && node?.kind === "FUNCEXPR") calls.push(Object.assign(node, { oid }));
    else if (from !== undefined && node?.kind === "QUERY") node.hasFrom = from !== "<";
  }
  return calls.map((call) => ({
    oid: call.oid ?? "",
    isOfColumn: call.hasColumn,
    isOnce: [...upwards(call)].some(
      ({ kind, hasFrom }) => kind === "RANGETBLFUNCTION" || (kind === "QUERY" && !hasFrom),
    ),
  }));
}

function* upwards(node: Node | undefined): Generator<Node> {
  for (let each = node; each !== undefined; each = each.parent) yield each;
}
