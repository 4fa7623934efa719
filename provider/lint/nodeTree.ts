/** Reads the stored tree of an expression. What it means is left to `policyTruth.ts`. */

/** A node by its kind, such as `OPEXPR`, with its fields; a field has one item or several. */
export interface TreeNode {
  kind: string;
  fields: ReadonlyMap<string, readonly TreeItem[]>;
}
export type TreeItem = string | TreeNode | readonly TreeItem[];

const TOKEN = /[{}()]|(?:\\.|[^\s{}()\\])+/gs;
/** Where in the text a node stood, which does not count. */
const PLACES = new Set([":location", ":stmt_location", ":stmt_len", ":list_start", ":list_end"]);

/** The node of a tree; undefined where the text is none. */
export function readTree(text: string): TreeNode | undefined {
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const list = (): TreeItem[] => {
    const items: TreeItem[] = [];
    while (at < tokens.length && tokens[at] !== ")") items.push(item());
    at += 1;
    return items;
  };
  const node = (): TreeNode => {
    const kind = tokens[at++] ?? "";
    const fields = new Map<string, TreeItem[]>();
    let field: TreeItem[] = [];
    while (at < tokens.length && tokens[at] !== "}") {
      const token = tokens[at];
      if (token?.startsWith(":") === true) {
        at += 1;
        field = [];
        if (!PLACES.has(token)) fields.set(token.slice(1), field);
      } else field.push(item());
    }
    at += 1;
    return { kind, fields };
  };
  const item = (): TreeItem => {
    const token = tokens[at++] ?? "";
    if (token === "{") return node();
    return token === "(" ? list() : token;
  };
  const root = item();
  return isNode(root) ? root : undefined;
}

export const isNode = (item: TreeItem | undefined): item is TreeNode =>
  typeof item === "object" && "kind" in item && "fields" in item;

/** A field that is a word or number. */
export const wordOf = (node: TreeNode, field: string): string => {
  const [first] = node.fields.get(field) ?? [];
  return typeof first === "string" ? first : "";
};

/** A field that is a node. */
export const childOf = (node: TreeNode, field: string): TreeNode | undefined => {
  const [first] = node.fields.get(field) ?? [];
  return isNode(first) ? first : undefined;
};

/** A field that is a list of nodes. */
export const childrenOf = (node: TreeNode, field: string): TreeNode[] => {
  const [first] = node.fields.get(field) ?? [];
  return Array.isArray(first) ? first.filter((each: TreeItem) => isNode(each)) : [];
};

/** The same for the same expression, wherever it stands. */
export const textOf = (item: TreeItem): string => {
  if (typeof item === "string") return item;
  if (!isNode(item)) return `(${item.map(textOf).join(" ")})`;
  return `{${item.kind} ${[...item.fields].map(([name, items]) => `${name} ${items.map(textOf).join(" ")}`).join(" ")}}`;
};

/** Whether a node of a kind is in an expression. */
export const has = (item: TreeItem, kind: string): boolean => {
  if (typeof item === "string") return false;
  if (!isNode(item)) return item.some((each) => has(each, kind));
  return item.kind === kind || [...item.fields.values()].some((items) => items.some((each) => has(each, kind)));
};
