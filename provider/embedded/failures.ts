/**
 * What is said when Postgres or initdb does not start: port, disk, permissions, data directory. Missing
 * binaries are reported by `binaries.ts`.
 */
import { userInfo } from "node:os";
import { UserError } from "../core/errors.ts";

/** A server did not start. With another port (PS702) or data directory (PS705) it may. */
export class StartFailure extends UserError {
  override name = "StartFailure";
}

/** Turns what Postgres or initdb wrote before it ended into one clear message. */
export function explainOutput(output: string, at: { home: string; port?: number; logFile?: string }): StartFailure {
  const says = (pattern: RegExp): boolean => pattern.test(output);
  if (says(/Address already in use/)) {
    return new StartFailure(
      "PS702",
      `Port ${at.port} on 127.0.0.1 is in use by another program. End that program, or choose another port.`,
    );
  }
  if (says(/lock file "[^"]+" already exists|pre-existing shared memory block/)) {
    return new StartFailure(
      "PS705",
      `Another Postgres already uses the data directory in ${at.home}. Stop that one first.`,
    );
  }
  if (says(/No space left on device|Disk quota exceeded|Check free disk space/)) return fullDisk(at.home, output);
  const library = /error while loading shared libraries: ([^:\s]+)/.exec(output)?.[1];
  if (library !== undefined) {
    return new StartFailure(
      "PS704",
      `The Postgres binaries of npm do not start: the library ${library} is missing. They need a glibc-based Linux or macOS, and the links that ` +
        "their install script makes. Run `npm rebuild`, or use a machine with glibc.",
    );
  }
  if (says(/could not (create|open|resize|map) (anonymous )?shared memory/)) {
    return new StartFailure(
      "PS704",
      "Postgres got no shared memory from the operating system. In a container, give it more (docker: `--shm-size=256m`).",
    );
  }
  const log = at.logFile === undefined ? "" : ` The full log is ${at.logFile}.`;
  return new StartFailure(
    "PS704",
    `The embedded Postgres did not start in ${at.home}. It wrote:\n${lastLines(output)}\n${log.trim()}`.trim(),
  );
}

/**
 * Turns an error of the file system into one clear message, where it is one that the user can fix; else
 * gives it back.
 */
export function explainFileError(error: unknown, home: string): unknown {
  if (!(error instanceof Error && "code" in error)) return error;
  const found = `${"path" in error ? String(error.path) : home}: ${String(error.code)}`;
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return fullDisk(home, found);
    case "EACCES":
    case "EPERM":
      return new StartFailure(
        "PS703",
        `${found}. The files in ${home} are not accessible to ${userInfo().username}: another user probably ran this here before. ` +
          "Run it as that user, or remove the directory as that user and start again.",
      );
    case "EROFS":
      return new StartFailure(
        "PS703",
        `${found}. Postgres needs a place to write to: move the checkout to a writable disk.`,
      );
    default:
      return error;
  }
}

function fullDisk(home: string, detail: string): StartFailure {
  return new StartFailure(
    "PS703",
    `The disk that holds ${home} is full; a Postgres data directory needs about 100 MB there. Free some space and start again. (${lastLines(detail, 1)})`,
  );
}

function lastLines(output: string, count = 8): string {
  return output.trim().split("\n").slice(-count).join("\n");
}
