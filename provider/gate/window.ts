/** Whether a moment lies in a maintenance window. All times are UTC. */

/** Minutes of a day; `from` later than `to` goes over midnight. */
export interface Window {
  from: number;
  to: number;
}

const SHAPE = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$/;

/** What a window looks like. */
export const WINDOW_SHAPE = 'a window in UTC such as "02:00-04:00", over midnight too: "23:30-01:00"';

/** Undefined for a text of another shape, and for a window without length. */
export function parseWindow(text: string): Window | undefined {
  const [, ...parts] = SHAPE.exec(text) ?? [];
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = parts.map(Number);
  const window = { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
  if (parts.length === 0 || window.from === window.to || window.to > 24 * 60) return undefined;
  return window;
}

/** The first minute counts, the last one does not. */
export function isWithin({ from, to }: Window, moment: Date): boolean {
  const minute = moment.getUTCHours() * 60 + moment.getUTCMinutes();
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
