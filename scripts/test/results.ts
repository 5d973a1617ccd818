export type TestResult =
  | { readonly state: 'passed'; readonly name: string }
  | { readonly state: 'skipped'; readonly name: string }
  | { readonly state: 'failed'; readonly name: string; readonly detail: string };

const shownDetailLines = 20;

/**
 * 0 when everything passed. Nothing run at all is a failure: a misspelt --grep must not
 * look like success. In CI a skipped test is one too: there every backend is expected.
 */
export function exitCode(results: readonly TestResult[], ci: boolean): 0 | 1 {
  const { passed, failed, skipped } = count(results);
  return failed > 0 || passed === 0 || (ci && skipped > 0) ? 1 : 0;
}

/** What to read at the end of a run: what failed, what was skipped in CI, and the counts on the last line. */
export function summary(results: readonly TestResult[], ci: boolean): string {
  const { passed, failed, skipped } = count(results);
  const lines: string[] = [];
  if (failed > 0) lines.push('Failed:', ...results.flatMap(failedLines));
  if (ci && skipped > 0) {
    lines.push('Skipped, which CI=true does not allow:', ...results.filter(isSkipped).map(({ name }) => `  - ${name}`));
  }
  if (results.length === 0) lines.push('No test ran: nothing matches what was asked for.');
  else if (passed + failed === 0) lines.push('No test ran: all were skipped.');
  lines.push(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  return lines.join('\n');
}

function count(results: readonly TestResult[]): Record<TestResult['state'], number> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { state } of results) counts[state] += 1;
  return counts;
}

function failedLines(result: TestResult): string[] {
  if (result.state !== 'failed') return [];
  const detail = result.detail.split('\n');
  const more = detail.length - shownDetailLines;
  const shown = detail.slice(0, shownDetailLines).map((line) => `      ${line}`.trimEnd());
  return [`  - ${result.name}`, ...shown, ...(more > 0 ? [`      … and ${more} more lines above`] : [])];
}

function isSkipped(result: TestResult): boolean {
  return result.state === 'skipped';
}
