import { type Case, record } from './findings.js';

/**
 * Measures the same cases with fresh processes, crew after crew, and puts the samples together: how fast a process is
 * depends on where in memory it came to lie, by a tenth and more, and that luck shall not decide.
 */
export async function inCrews(count: number, measure: () => Promise<Case[]>): Promise<Case[]> {
  const cases = await measure();
  for (let crew = 1; crew < count; crew++)
    for (const [c, { entries }] of (await measure()).entries())
      for (const [e, { samples }] of entries.entries()) {
        const entry = cases[c]?.entries[e];
        for (const [metric, values] of Object.entries(samples))
          for (const value of values) if (entry) record(entry, { [metric]: value });
      }
  return cases;
}
