/**
 * Whether a policy's condition is true whatever a row has, and whether it is while a setting is missing. The
 * stored tree is evaluated for all answers that its comparisons can give; what rows there are is not asked.
 */
import { childOf, childrenOf, has, type TreeNode, textOf, wordOf } from "./nodeTree.ts";

/** What a tree has only the numbers of. */
export interface TreeNames {
  /** Numbers of the table's columns that are NOT NULL. */
  notNull: readonly string[];
  /** Functions that read a setting. */
  settings: readonly string[];
  /** Functions that are null where an argument is. */
  strict: readonly string[];
  /** The server's own comparisons, by the number of the operator. */
  comparisons: Readonly<Record<string, string>>;
}

/** What a setting is taken for: as it is; missing; or empty, as after a transaction that has set it. */
type Setting = "kept" | "missing" | "empty";

/** SQL's null, a truth value, or what is known only by its text. */
type Value = null | boolean | { key: string; neverNull: boolean; number?: number };

/** More unknown answers than this are not tried. */
const MOST_UNKNOWN = 8;
const BOOL = "16";
const INTEGERS = new Set(["20", "21", "23"]);
/** An empty text as the server stores it: four bytes of length and no more. */
const EMPTY: Value = { key: "4 [ 16 0 0 0 ]", neverNull: true };
const REFLEXIVE = new Set(["=", "<=", ">="]);
const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "<>": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  "<=": (a, b) => a <= b,
  ">=": (a, b) => a >= b,
};

/** Whether a condition is true for every row. */
export function isAlwaysTrue(tree: TreeNode, names: TreeNames, setting: Setting = "kept"): boolean {
  const holds = (answers: ReadonlyMap<string, boolean | null>): boolean => {
    const evaluation = new Evaluation(names, setting, answers);
    const value = evaluation.truth(tree);
    const [open] = evaluation.open;
    if (open === undefined) return value === true;
    if (answers.size >= MOST_UNKNOWN) return false;
    const [key, neverNull] = open;
    return (neverNull ? [false, true] : [false, null, true]).every((answer) =>
      holds(new Map([...answers, [key, answer]])),
    );
  };
  return holds(new Map());
}

/** Whether a condition, or a part of it that AND joins, is always true only while a setting is missing. */
export function isTrueWithoutSetting(tree: TreeNode, names: TreeNames): boolean {
  const [...parts] = conjuncts(tree);
  return parts.some(
    (part) =>
      // A part that is about the setting alone is a case of its own, which the others restrict.
      (parts.length === 1 || has(part, "VAR")) &&
      !isAlwaysTrue(part, names) &&
      (isAlwaysTrue(part, names, "missing") || isAlwaysTrue(part, names, "empty")),
  );
}

function* conjuncts(node: TreeNode): Generator<TreeNode> {
  if (node.kind !== "BOOLEXPR" || wordOf(node, "boolop") !== "and") yield node;
  else for (const each of childrenOf(node, "args")) yield* conjuncts(each);
}

class Evaluation {
  /** Questions that have no answer yet, and whether null is none. */
  readonly open = new Map<string, boolean>();
  private readonly names: TreeNames;
  private readonly setting: Setting;
  private readonly answers: ReadonlyMap<string, boolean | null>;

  constructor(names: TreeNames, setting: Setting, answers: ReadonlyMap<string, boolean | null>) {
    this.names = names;
    this.setting = setting;
    this.answers = answers;
  }

  truth(node: TreeNode | undefined): boolean | null {
    const value = node === undefined ? null : this.value(node);
    return value === null || typeof value === "boolean" ? value : this.answer(value.key, value.neverNull);
  }

  private answer(key: string, neverNull: boolean): boolean | null {
    const answer = this.answers.get(key);
    if (answer === undefined) this.open.set(key, neverNull);
    return answer ?? null;
  }

  private isNull(value: Value): boolean {
    if (value === null || typeof value === "boolean") return value === null;
    return !value.neverNull && this.answer(`null ${value.key}`, true) === true;
  }

  private value(node: TreeNode): Value {
    switch (node.kind) {
      case "CONST":
        return constant(node);
      case "VAR": {
        const isOwn = wordOf(node, "varno") === "1" && wordOf(node, "varlevelsup") === "0";
        return { key: textOf(node), neverNull: isOwn && this.names.notNull.includes(wordOf(node, "varattno")) };
      }
      case "BOOLEXPR":
        return this.combined(node);
      case "NULLTEST": {
        const isNull = this.isNull(this.value(childOf(node, "arg") ?? node));
        return wordOf(node, "nulltesttype") === "0" ? isNull : !isNull;
      }
      case "BOOLEANTEST": {
        const kind = Number(wordOf(node, "booltesttype"));
        const tested = [true, false, null][Math.floor(kind / 2)];
        return (this.truth(childOf(node, "arg")) === tested) === (kind % 2 === 0);
      }
      case "OPEXPR":
        return this.compared(node);
      case "DISTINCTEXPR": {
        const [a = null, b = null] = this.args(node);
        if (keyOf(a) === keyOf(b)) return false;
        if (a === null || b === null) return !this.isNull(a ?? b);
        return { key: this.key(node, [a, b]), neverNull: true };
      }
      case "NULLIFEXPR": {
        const [a = null, b = null] = this.args(node);
        if (a === null || b === null) return a;
        return keyOf(a) === keyOf(b) ? null : { key: this.key(node, [a, b]), neverNull: false };
      }
      case "COALESCEEXPR":
        return this.firstKnown(node);
      case "RELABELTYPE":
      case "COLLATEEXPR":
        return this.value(childOf(node, "arg") ?? node);
      case "COERCEVIAIO": {
        const value = this.value(childOf(node, "arg") ?? node);
        return value === null ? null : { key: this.key(node, [value]), neverNull: false };
      }
      case "FUNCEXPR":
        return this.called(node);
      case "CASEEXPR":
        return this.chosen(node);
      case "SUBLINK":
        return this.selected(node);
      default:
        return { key: textOf(node), neverNull: false };
    }
  }

  private args(node: TreeNode): Value[] {
    return childrenOf(node, "args").map((each) => this.value(each));
  }

  /** The same for the same operation on the same values. */
  private key(node: TreeNode, args: readonly Value[]): string {
    const what = ["opno", "funcid", "resulttype"].map((field) => wordOf(node, field)).join(" ");
    return `${node.kind} ${what} (${args.map(keyOf).join(", ")})`;
  }

  private combined(node: TreeNode): boolean | null {
    const values = childrenOf(node, "args").map((each) => this.truth(each));
    const operator = wordOf(node, "boolop");
    if (operator === "not") return values[0] === null || values[0] === undefined ? null : !values[0];
    const decides = operator === "or";
    if (values.includes(decides)) return decides;
    return values.includes(null) ? null : !decides;
  }

  private compared(node: TreeNode): Value {
    const args = this.args(node);
    const [a = null, b = null] = args;
    const operator = this.names.comparisons[wordOf(node, "opno")];
    if (operator === undefined) {
      const isStrict = this.names.strict.includes(wordOf(node, "opfuncid"));
      return isStrict && args.includes(null) ? null : { key: this.key(node, args), neverNull: false };
    }
    if (a === null || b === null) return null;
    // A column equals itself but for null; such rows are no ground to call the condition one.
    if (REFLEXIVE.has(operator) && keyOf(a) === keyOf(b)) return true;
    if (typeof a === "object" && typeof b === "object") {
      if (a.number !== undefined && b.number !== undefined) return COMPARE[operator]?.(a.number, b.number) ?? null;
      return { key: this.key(node, args), neverNull: a.neverNull && b.neverNull };
    }
    return { key: this.key(node, args), neverNull: false };
  }

  private firstKnown(node: TreeNode): Value {
    const isBool = wordOf(node, "coalescetype") === BOOL;
    if (isBool) {
      for (const each of childrenOf(node, "args")) {
        const truth = this.truth(each);
        if (truth !== null) return truth;
      }
      return null;
    }
    const known = this.args(node).filter((value) => value !== null);
    const [first] = known;
    if (first === undefined) return null;
    if (typeof first === "boolean" || first.neverNull) return first;
    const neverNull = known.some((value) => typeof value === "boolean" || value.neverNull);
    return known.length === 1 ? first : { key: this.key(node, known), neverNull };
  }

  private called(node: TreeNode): Value {
    const id = wordOf(node, "funcid");
    const args = this.args(node);
    if (this.names.settings.includes(id) && this.setting !== "kept") return this.setting === "missing" ? null : EMPTY;
    if (this.names.strict.includes(id) && args.includes(null)) return null;
    return { key: this.key(node, args), neverNull: false };
  }

  private chosen(node: TreeNode): Value {
    if (childOf(node, "arg") !== undefined || wordOf(node, "casetype") !== BOOL)
      return { key: textOf(node), neverNull: false };
    const branch = childrenOf(node, "args").find((when) => this.truth(childOf(when, "expr")) === true);
    return this.truth(branch === undefined ? childOf(node, "defresult") : childOf(branch, "result"));
  }

  /** A subselect without FROM is what it selects. */
  private selected(node: TreeNode): Value {
    const query = childOf(node, "subselect");
    const from = query && childOf(query, "jointree");
    const isPlain =
      query !== undefined &&
      from !== undefined &&
      [wordOf(query, "rtable"), wordOf(from, "quals"), wordOf(query, "havingQual")].every((word) => word === "<>") &&
      [wordOf(query, "limitCount"), wordOf(query, "limitOffset")].every((word) => word === "<>");
    const [target] = query === undefined ? [] : childrenOf(query, "targetList");
    const kind = wordOf(node, "subLinkType");
    if (isPlain && kind === "0") return true;
    const selected = target && childOf(target, "expr");
    if (isPlain && kind === "4" && selected !== undefined) return this.value(selected);
    return { key: textOf(node), neverNull: false };
  }
}

const keyOf = (value: Value): string => (value === null || typeof value === "boolean" ? String(value) : value.key);

function constant(node: TreeNode): Value {
  if (wordOf(node, "constisnull") === "true") return null;
  const stored = (node.fields.get("constvalue") ?? []).map(textOf);
  const type = wordOf(node, "consttype");
  if (type === BOOL) return stored[2] !== "0";
  const value = { key: stored.join(" "), neverNull: true };
  return INTEGERS.has(type) ? { ...value, number: integerOf(stored.slice(2, -1)) } : value;
}

/** Stored bytes of a number, the least first, printed with a sign or without. */
const integerOf = (bytes: readonly string[]): number =>
  Number(
    BigInt.asIntN(
      64,
      bytes.reduceRight((sum, each) => sum * 256n + BigInt.asUintN(8, BigInt(each)), 0n),
    ),
  );
