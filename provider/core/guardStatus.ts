/** What a run says before its first change, and how a reader of its messages knows it again. */

const BEFORE = ", before the first change";

/** All steps are passed. */
export const CHANGES_BEGIN = "changes begin";

export const statusOfStep = (step: string): string => `${step}${BEFORE}`;

/** The step that a message tells of; undefined for any other message. */
export const stepIn = (message: string): string | undefined =>
  message.endsWith(BEFORE) ? message.slice(0, -BEFORE.length) : undefined;
