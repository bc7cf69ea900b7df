// Are the types wrong? Every way in which TypeScript may resolve a packed package must find the types of what Node runs.
import { readFileSync } from 'node:fs';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemKindInfo } from '@arethetypeswrong/core/problems';
import { tarballs } from './pack.ts';

for (const file of tarballs()) {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(file))));
  // node10 knows no `exports`, so it never sees an entry beside the main one; no Node that runs heed resolves that way.
  const problems = result.types
    ? result.problems.filter(
        (problem) => !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
      )
    : ['it has no types'];
  for (const problem of problems) {
    const text =
      typeof problem === 'string'
        ? problem
        : `${problemKindInfo[problem.kind].title} ${JSON.stringify(problem)}`;
    console.error(`${result.packageName}: ${text}`);
  }
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${result.packageName}: the types are right`);
}
