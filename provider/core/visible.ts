/** How a text that others have written is shown: it can neither begin a line nor direct a terminal. */

/** Controls, ends of lines, and what turns the direction of the text around it. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text with an escape in place of each such character, as JSON has them. */
export const visible = (text: string): string =>
  text.replace(
    UNSEEN,
    (character) => SHORT[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
