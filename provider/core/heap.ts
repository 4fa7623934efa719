/** How much memory this process takes beyond what it holds. */
import v8 from "node:v8";

let isTight = false;

/**
 * From now on garbage is collected when the heap has grown by a third, not when it is several times as large.
 * To be called where much is held: a small process would only spend time on it.
 */
export function growSlowly(): void {
  if (isTight) return;
  isTight = true;
  v8.setFlagsFromString("--heap-growing-percent=33");
}
