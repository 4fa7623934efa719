import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import type { Properties } from "../../provider/core/resourceType.ts";

/** A project directory with SQL files, gone at the end of the test file. */
export interface SqlProject {
  directory: string;
  /** Writes a file and returns its path, relative to the directory. */
  write(path: string, content: string | Uint8Array): string;
  /** Takes a folder with all its files away. */
  clear(path: string): void;
  /**
   * Inputs of a layer that is made of one file with this SQL. Written again, the same layer has changed
   * files.
   */
  layer(name: string, sql: string, more?: Properties): Properties;
}

const directories: string[] = [];

// Once for each test file: it has its own copy of this module.
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

export function sqlProject(): SqlProject {
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-project-"));
  // For root, the account that runs an embedded shadow must get there.
  chmodSync(directory, 0o755);
  directories.push(directory);
  const write = (path: string, content: string | Uint8Array): string => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    return path;
  };
  return {
    directory,
    write,
    clear: (path) => rmSync(join(directory, path), { recursive: true, force: true }),
    layer: (name, sql, more = {}) => ({ name, files: [write(`${name}.sql`, sql)], ...more }),
  };
}
