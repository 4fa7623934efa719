/** What is said when the set-up cannot write: a full disk, a folder without permission. */
import { UserError } from "../../provider/core/errors.ts";

/** The texts by which programs report a full disk; Go's toolchain and Node's file system among them. */
const diskFull = /no space left on device|ENOSPC|disk quota exceeded|EDQUOT/i;

/** Whether the output of a program, or the message of an error, tells of a full disk. */
export function tellsOfFullDisk(text: string): boolean {
  return diskFull.test(text);
}

/**
 * Runs work that writes below a folder.
 *
 * @throws UserError when the folder cannot be written or the disk is full; any other error as it is.
 */
export function writing<Result>(folder: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw explainFileError(folder, error);
  }
}

/** @returns a UserError for a full disk or a folder that cannot be written, otherwise the error itself. */
export function explainFileError(folder: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) {
    return error;
  }
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return diskFullError(folder);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UserError(
        "PS703",
        [
          `Cannot write to ${folder} (${error.code}).`,
          "Expected a folder that the current user may write to.",
          "Change its owner to this user (chown -R), or work in a checkout of your own; the folder for built programs can be moved with XDG_CACHE_HOME.",
        ].join("\n"),
      );
    default:
      return error;
  }
}

export function diskFullError(folder: string): UserError {
  return new UserError(
    "PS703",
    [
      `The disk is full; the last write was to ${folder}.`,
      "Expected about 0.5 GB free for what the set-up installs, and 5 GB more while it builds from source.",
      "Free some space (`go clean -cache -modcache` removes what Go can make again), then run the same command once more.",
    ].join("\n"),
  );
}
