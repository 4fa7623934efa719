/**
 * Which secrets this process knows, and how they are removed from every text that leaves it, in each form in
 * which they may be written.
 */

const REPLACEMENT = "[secret]";
/** Shorter strings are in every text by chance. */
const SHORTEST = 4;

/** Knows the secrets of this process and takes them out of every text that leaves it. */
export interface Redactor {
  /** Also learns the password within, when the secret is a URL. */
  add(secret: string): void;
  redact(text: string): string;
}

export function createRedactor(): Redactor {
  const known = new Set<string>();
  let longestFirst: string[] | undefined;

  function learn(text: string): void {
    for (const form of writtenForms(text)) {
      if (form.length < SHORTEST || known.has(form)) continue;
      known.add(form);
      longestFirst = undefined;
    }
  }

  return {
    add(secret) {
      learn(secret);
      for (const password of passwordsOf(secret)) learn(password);
    },
    redact(text) {
      longestFirst ??= [...known].sort((a, b) => b.length - a.length);
      return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, REPLACEMENT), text);
    },
  };
}

/** How a string may stand in an error text: as it is, within JSON, within an SQL literal, within a URL. */
function writtenForms(text: string): string[] {
  return [text, JSON.stringify(text).slice(1, -1), text.replaceAll("'", "''"), encodeURIComponent(text.toWellFormed())];
}

/** The user part of a URL may itself hold an unescaped `@`, so the last one counts. */
function passwordsOf(text: string): string[] {
  const raw = /^[a-z][a-z0-9+.-]*:\/\/[^:/?#]*:(?<password>.*)@/is.exec(text)?.groups?.password;
  const passwords = raw ? [raw] : [];
  const query = /[?&]password=(?<password>[^&#]+)/i.exec(text)?.groups?.password;
  if (query) passwords.push(query);
  return passwords.flatMap((password) => [password, decodePercents(password)]);
}

function decodePercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
