// A reporter that prints each test that was not run, and why: no skip is silent.
import type { Reporter, TestCase } from 'vitest/node';

export default class Skips implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state !== 'skipped') return;
    const reason = result.note ?? (test.options.mode === 'todo' ? 'to do' : 'no reason given');
    console.log(`skipped: ${test.fullName}: ${reason}`);
  }
}
