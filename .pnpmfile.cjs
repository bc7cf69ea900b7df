// TypeScript 7 ships no compiler API. The tools that call it get TypeScript 6 of their own; everything else uses 7.
const callers = ['tsup', 'svelte-check'];

module.exports = {
  hooks: {
    readPackage(pkg) {
      if (!callers.includes(pkg.name)) return pkg;
      delete pkg.peerDependencies.typescript;
      if (pkg.peerDependenciesMeta) delete pkg.peerDependenciesMeta.typescript;
      pkg.dependencies.typescript = '6.0.3';
      return pkg;
    },
  },
};
