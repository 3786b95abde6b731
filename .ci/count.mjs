// node .ci/count.mjs REPORT STATUS: prints "passed failed skipped" of a vitest run, from its JSON report.
// A run that ended badly although no test failed (a file did not load, a report is missing) counts as one failure.
import { readFileSync } from 'node:fs';

const [report, status] = process.argv.slice(2);

function read() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { testResults: [] };
  }
}

const count = { passed: 0, failed: 0, skipped: 0 };
for (const { status: fileStatus, assertionResults } of read().testResults) {
  for (const test of assertionResults) count[test.status in count ? test.status : 'skipped']++;
  if (fileStatus === 'failed' && assertionResults.length === 0) count.failed++;
}
if (count.failed === 0 && (status !== '0' || count.passed === 0)) count.failed = 1;
console.log(count.passed, count.failed, count.skipped);
