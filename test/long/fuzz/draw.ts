/**
 * Choices made from a list of numbers, which fast-check generates. A list that is used up gives zeros, and
 * zero is the plainest choice everywhere, so small lists make small schemas.
 */
export class Draw {
  private readonly choices: readonly number[];
  private at = 0;

  constructor(choices: readonly number[]) {
    this.choices = choices;
  }

  /** Between 0 and `count - 1`. */
  below(count: number): number {
    return count <= 0 ? 0 : (this.choices[this.at++] ?? 0) % count;
  }

  /** True in about `percent` of 100 cases. */
  chance(percent: number): boolean {
    return this.below(100) >= 100 - percent;
  }

  /** Undefined of an empty list. */
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)];
  }

  one<const T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  /** Different items of a list, `most` or fewer, in an order of their own. */
  some<T>(items: readonly T[], most: number): T[] {
    const left = [...items];
    const taken: T[] = [];
    const count = Math.min(items.length, 1 + this.below(most));
    while (taken.length < count) taken.push(...left.splice(this.below(left.length), 1));
    return taken;
  }
}
