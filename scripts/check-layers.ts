// Proves that the arrows between packages point down: a package imports from lower levels only, and only what its
// manifest declares. Tests may import anything. Examples stand above every package, apps and benchmarks above those.
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { type Package, root, slashed, workspacePackages } from './workspace.ts';

/** Packages of one level do not import each other. */
const LEVELS: readonly (readonly string[])[] = [
  ['@heed/expr'],
  ['@heed/tensor'],
  ['@heed/attention'],
  [
    ...['@heed/registry', '@heed/scores', '@heed/masks', '@heed/normalizers'],
    ...['@heed/reference', '@heed/cpu', '@heed/webgpu'],
  ],
  ['@heed/nn', '@heed/plot'],
  ['@heed/additive', '@heed/multiplicative', '@heed/self', '@heed/multi-head', '@heed/local'],
  ['@heed/transformer', '@heed/seq2seq', '@heed/onnx'],
  ['@heed/testing', 'heed'],
];

/** Tests, and what they alone import. */
const TESTS = /(\.test|\bfixture)\.ts$/;

/** What is wrong, one sentence each. */
export function checkLayers(from = root, levels = LEVELS): readonly string[] {
  const packages = workspacePackages(from);
  const levelOf = ({ name, dir }: Package) => {
    if (dir.startsWith('packages/')) return levels.findIndex((names) => names.includes(name));
    return levels.length + (dir.startsWith('examples/') ? 0 : 1);
  };
  const problemsOf = (importer: Package) => {
    const level = levelOf(importer);
    if (level < 0)
      return [`${importer.dir}: "${importer.name}" has no level. Give it one in scripts/check-layers.ts.`];
    const declared = declaredBy(importer);
    const check = (specifier: string, where: string) => {
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(where), specifier);
        if (target.startsWith(`${importer.dir}/`)) return [];
        return [`${where}: "${specifier}" leaves the package. Import the other package by its name.`];
      }
      if (isBuiltin(specifier)) return [];
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      if (!declared.includes(name)) {
        return [`${where}: "${name}" is imported but not declared. Add it to ${importer.dir}/package.json.`];
      }
      const imported = packages.find((candidate) => candidate.name === name);
      if (imported === undefined || levelOf(imported) < level) return [];
      return [
        `${where}: ${importer.name} (level ${level}) imports ${name} (level ${levelOf(imported)}), which is not below it.`,
      ];
    };
    const manifest = `${importer.dir}/package.json`;
    return [
      ...declared.flatMap((name) => check(name, manifest)),
      ...sourcesOf(from, importer).flatMap((file) =>
        importsOf(readFileSync(join(from, file), 'utf8')).flatMap((specifier) => check(specifier, file)),
      ),
    ];
  };
  return packages.flatMap(problemsOf);
}

/** A private package is never installed by anyone, so its development dependencies are as good as any. */
function declaredBy({ manifest }: Package): readonly string[] {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest;
  return Object.keys({
    ...dependencies,
    ...peerDependencies,
    ...optionalDependencies,
    ...(manifest.private ? devDependencies : {}),
  });
}

function sourcesOf(from: string, { dir }: Package): readonly string[] {
  return globSync(`${dir}/**/*.{ts,svelte}`, { cwd: from, exclude: ['**/node_modules', '**/dist'] })
    .map(slashed)
    .filter((file) => !TESTS.test(file));
}

export function importsOf(source: string): readonly string[] {
  const statements = source.matchAll(
    /^[ \t]*(?:import|export)\b(?:[\w\s{},*$]*?\bfrom)?\s*['"]([^'"]+)['"]/gm,
  );
  const calls = source.matchAll(/^(?![ \t]*(?:\*|\/\/)).*?\bimport\(\s*['"]([^'"]+)['"]/gm);
  return [...statements, ...calls].map((match) => match[1] ?? '');
}

if (import.meta.main) {
  const problems = checkLayers();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log('Every arrow points down.');
}
