/** Elements by what they have in common, if they have it. @returns those of a key, in the order in which they were given */
export function grouped<T, K>(
  all: Iterable<T>,
  keyOf: (one: T) => K | undefined,
): (key: K | undefined) => readonly T[] {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return (key) => (key === undefined ? [] : (groups.get(key) ?? []));
}
