// The conformance data and its runner. Reads folders, and so needs Node.

export type { Case, Expected, Given, Tolerance } from './case.ts';
export { ConformanceDataError } from './case.ts';
export { compare, type Mismatch } from './compare.ts';
export { families } from './families/index.ts';
export type { Family, Inputs, Outputs, Work } from './family.ts';
export { type Folder, openFolder } from './folder.ts';
export { failure, lastLine, type Ran, report } from './report.ts';
export { type Outcome, type RunOptions, runCase } from './run.ts';
export { runFolder, type SuiteOptions } from './suite.ts';
