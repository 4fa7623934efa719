/** Two things at once, of which both end before anything goes on. */

/**
 * Does work while a task is running. Whichever of the two fails, both have ended afterwards; the failure of
 * the work comes first.
 */
export async function beside<T>(task: Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const ended = task.catch(() => {});
  try {
    const done = await work();
    await task;
    return done;
  } finally {
    await ended;
  }
}
