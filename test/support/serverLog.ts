/**
 * What the test server has logged since a test file began: the log of a whole run is longer than a string
 * can be.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { inject } from "vitest";

/** Begins where the log ends now. */
export class ServerLog {
  private readonly path = inject("serverLog");
  private readonly start = statSync(this.path).size;

  read(): string {
    const file = openSync(this.path, "r");
    try {
      const text = Buffer.alloc(fstatSync(file).size - this.start);
      readSync(file, text, 0, text.length, this.start);
      return text.toString("utf8");
    } finally {
      closeSync(file);
    }
  }
}
