// Values that a caller gave: looked at and never converted, because a conversion runs code of the value.

/** A value in the text of an error; of what could run code, or be of any length, only what it is. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** A number that must be an integer within a range. The errors name it. */
export function integer(name: string, value: number, least: number, most: number): number {
  if (typeof value !== 'number' || Number.isNaN(value)) {
    throw new TypeError(`${name} must be a number, not ${shown(value)}`);
  }
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${value}`);
  }
  return value;
}
