// Provides the software GPUs that the tests of @heed/webgpu run on, where they are missing:
//   SwiftShader   in Debian's package chromium, with a loader of Vulkan drivers beside it
//   lavapipe 25   Mesa's, from Debian's backports: unpacked into .cache/lavapipe, installed nowhere
//   lavapipe 26   has matrices of subgroups, but wants a newer C library than Debian 12's: that comes with it into
//                 .cache/lavapipe26, and `.cache/lavapipe26/run-node script.mjs` runs a Node of its own there
// Runs on any Node, before anything else is there: no dependencies, no TypeScript. `npm test` calls it; by hand:
//   node scripts/adapters.mjs
//   node scripts/adapters.mjs --drivers     prints the environment in which they are found
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHROMES = ['/usr/lib/chromium', '/opt/google/chrome'];
const SWIFTSHADER = 'vk_swiftshader_icd.json';
const CACHE = fileURLToPath(new URL('../.cache', import.meta.url));
const LAVAPIPE = join(CACHE, 'lavapipe', 'lvp_icd.json');
const LAVAPIPE26 = join(CACHE, 'lavapipe26', 'run-node');
/** Holds why there can be none on this machine. */
const NO_LAVAPIPE26 = join(CACHE, 'lavapipe26', 'reason');
/** Older drivers are refused by Dawn; these lack nothing that it wants. */
const SUITE = 'bookworm-backports';
const NEXT = ['trixie', 'trixie-backports'];
const PACKAGE = 'mesa-vulkan-drivers';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The folder of the browser that has SwiftShader. */
const chrome = () => CHROMES.find((folder) => existsSync(join(folder, SWIFTSHADER)));

/** Its executable. */
const browser = () =>
  CHROMES.flatMap((folder) => [join(folder, 'chromium'), join(folder, 'chrome')]).find((file) =>
    existsSync(file),
  );

/** The environment in which tests find the drivers and the browser; what somebody has set already stays. */
export function drivers() {
  const { VK_DRIVER_FILES, VK_ICD_FILENAMES, LD_LIBRARY_PATH, XDG_RUNTIME_DIR = tmpdir() } = process.env;
  const [folder, executable] = [chrome(), process.env.CHROME_PATH ?? browser()];
  const found = [...(folder ? [join(folder, SWIFTSHADER)] : []), LAVAPIPE].filter((file) => existsSync(file));
  return {
    // The loader complains where there is none.
    XDG_RUNTIME_DIR,
    ...(executable ? { CHROME_PATH: executable } : {}),
    ...(VK_DRIVER_FILES || VK_ICD_FILENAMES ? {} : { VK_DRIVER_FILES: found.join(delimiter) }),
    ...(folder ? { LD_LIBRARY_PATH: [LD_LIBRARY_PATH, folder].filter(Boolean).join(delimiter) } : {}),
    ...(existsSync(LAVAPIPE26) ? { HEED_LAVAPIPE26: LAVAPIPE26 } : {}),
    ...(existsSync(NO_LAVAPIPE26) ? { HEED_NO_LAVAPIPE26: readFileSync(NO_LAVAPIPE26, 'utf8') } : {}),
  };
}

/** Installs or unpacks what is missing. @throws Error that says what a person would have to do. */
export function provide() {
  if (!process.env.VK_DRIVER_FILES && !process.env.VK_ICD_FILENAMES) provideDrivers();
  // What was impossible before is tried once more.
  if (!existsSync(LAVAPIPE26)) provideLavapipe26();
}

function provideDrivers() {
  if (!chrome()) {
    console.log(
      'Installing chromium: its SwiftShader is a GPU in software, on which the WebGPU tests run ...',
    );
    install('chromium');
    if (!chrome())
      throw new Error(`chromium is installed, but ${join(CHROMES[0], SWIFTSHADER)} is not there.`);
  }
  if (existsSync(LAVAPIPE)) return;
  console.log(
    'Unpacking lavapipe into .cache/lavapipe: a GPU in software with 16-bit floats, on which the WebGPU tests run ...',
  );
  const [library] = unpack('lavapipe', [SUITE], ['download', `${PACKAGE}/${SUITE}`]);
  if (missingOf(library).length > 0) {
    console.log(`Installing ${PACKAGE}: it brings what lavapipe links against ...`);
    install(PACKAGE);
  }
  const missing = missingOf(library);
  if (missing.length > 0)
    throw new Error(`lavapipe lacks ${missing.join(', ')}, which ${PACKAGE} did not bring.`);
  // Last: whoever finds this file finds all of it.
  writeFileSync(LAVAPIPE, manifestOf(library));
}

/** What the loader of Vulkan drivers reads. */
const manifestOf = (library) =>
  JSON.stringify({ file_format_version: '1.0.0', ICD: { api_version: '1.4.305', library_path: library } });

/** The driver with the C library that it is linked against, and what starts a Node with both. */
function provideLavapipe26() {
  const impossible = (reason) => {
    mkdirSync(join(CACHE, 'lavapipe26'), { recursive: true });
    writeFileSync(NO_LAVAPIPE26, reason);
  };
  if (!isDebian()) {
    impossible('lavapipe 26 is taken from packages of Debian, on Debian alone');
    return;
  }
  console.log(
    'Unpacking lavapipe 26 into .cache/lavapipe26: a GPU in software with matrices of subgroups, for the tests of them ...',
  );
  const [, suite] = NEXT;
  const wanted = [PACKAGE, 'libvulkan1', 'libstdc++6'];
  let unpacked;
  try {
    const how = ['install', '--download-only', '--yes', '--no-install-recommends', '-t', suite];
    unpacked = unpack('lavapipe26', NEXT, [...how, ...wanted]);
  } catch (error) {
    // Whoever mirrors one release of Debian need not mirror the next. All else is a failure like any other.
    if (!/does not have a Release file/.test(error.message)) throw error;
    impossible(`this machine's mirror of Debian has no ${NEXT.join(', or no ')}`);
    return;
  }
  const [library, folder] = unpacked;
  const linker = readdirSync(folder).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  const manifest = join(CACHE, 'lavapipe26', 'lvp_icd.json');
  writeFileSync(manifest, manifestOf(library));
  const here = folder.slice(folder.indexOf('/usr/lib/'));
  const script = [
    '#!/bin/sh',
    '# Starts Node ($NODE, or the one on the path) with a newer C library, and finds no other GPU than lavapipe 26.',
    `export VK_DRIVER_FILES="${manifest}"`,
    `exec "${join(folder, linker)}" --library-path "${folder}:${here}" "\${NODE:-$(command -v node)}" "$@"`,
    '',
  ];
  writeFileSync(LAVAPIPE26, script.join('\n'), { mode: 0o755 });
}

function call(command, args, env = {}, cwd = CACHE) {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, cwd };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status === 0) return stdout;
  throw new Error(
    `${command} ${args.join(' ')} failed: ${error?.message ?? (stderr.trim() || `exit code ${status}`)}`,
  );
}

function install(name) {
  mkdirSync(CACHE, { recursive: true });
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new Error(
      `the tests of @heed/webgpu need ${name === 'chromium' ? 'a Chromium with SwiftShader' : `the libraries of ${name}`}, and ` +
        `this script installs it on Debian as root only. Run \`apt-get install ${name}\` as root, or set VK_DRIVER_FILES to ` +
        'the manifests of a SwiftShader and of a lavapipe of Mesa 25 or later, joined by a colon.',
    );
  }
  call('apt-get', ['-qq', 'update']);
  call('apt-get', ['-qq', 'install', '--yes', '--no-install-recommends', name], {
    DEBIAN_FRONTEND: 'noninteractive',
  });
}

/** The libraries that a library wants and the machine has not. */
const missingOf = (library) =>
  [...call('ldd', [library]).matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name);

/**
 * The driver out of packages of other suites, in a folder of the cache: with an apt of our own, so that neither root nor the
 * machine's lists are needed. Gives the library and the folder that it lies in.
 */
function unpack(name, suites, how) {
  const to = join(CACHE, name);
  const apt = join(to, 'apt');
  rmSync(to, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(apt, folder), { recursive: true });
  const from = mirror();
  const sources = suites.map((suite) => `deb [signed-by=${KEYRING}] ${from} ${suite} main\n`);
  writeFileSync(join(apt, 'sources.list'), sources.join(''));
  // Nothing is installed, so that whatever is needed is fetched.
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(
    join(apt, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${apt}/sources.list";`,
      'Dir::Etc::sourceparts "-";',
      `Dir::State::lists "${apt}/lists";`,
      `Dir::State::status "${apt}/status";`,
      `Dir::Cache "${apt}/cache";`,
      'APT::Sandbox::User "";',
      'Debug::NoLocking "1";',
      '',
    ].join('\n'),
  );
  const env = { APT_CONFIG: join(apt, 'apt.conf') };
  const archives = join(apt, 'cache', 'archives');
  call('apt-get', ['-qq', 'update'], env);
  call('apt-get', ['-qq', ...how], env, archives);
  for (const archive of readdirSync(archives).filter((one) => one.endsWith('.deb')))
    call('dpkg-deb', ['-x', join(archives, archive), join(to, 'root')]);
  rmSync(apt, { recursive: true });
  const found = readdirSync(join(to, 'root'), { recursive: true }).find((one) =>
    one.endsWith('/libvulkan_lvp.so'),
  );
  const library = join(to, 'root', found);
  return [library, dirname(library)];
}

const isDebian = () => existsSync(KEYRING) && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));

/** Where this machine has its packages from. */
function mirror() {
  if (!isDebian()) {
    throw new Error(
      'the tests of @heed/webgpu fetch lavapipe on Debian 12 only. Set VK_DRIVER_FILES to the manifests of a SwiftShader and ' +
        'of a lavapipe of Mesa 25 or later, joined by a colon.',
    );
  }
  const targets = call('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const found = targets.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (!found) throw new Error('apt has no source of Debian packages: see /etc/apt/sources.list.');
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--drivers') console.log(JSON.stringify(drivers()));
  else provide();
}
