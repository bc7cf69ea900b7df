// Provides the two software GPUs that the tests of @heed/webgpu run on, where they are missing:
//   SwiftShader   in Debian's package chromium, with a loader of Vulkan drivers beside it
//   lavapipe 25   Mesa's, from Debian's backports: unpacked into .cache/lavapipe, installed nowhere
// Runs on any Node, before anything else is there: no dependencies, no TypeScript. `npm test` calls it; by hand:
//   node scripts/adapters.mjs
//   node scripts/adapters.mjs --drivers     prints the environment in which they are found
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHROMES = ['/usr/lib/chromium', '/opt/google/chrome'];
const SWIFTSHADER = 'vk_swiftshader_icd.json';
const CACHE = fileURLToPath(new URL('../.cache/lavapipe', import.meta.url));
const LAVAPIPE = join(CACHE, 'lvp_icd.json');
/** Older drivers are refused by Dawn; these lack nothing that it wants. */
const SUITE = 'bookworm-backports';
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
  };
}

/** Installs or unpacks what is missing. @throws Error that says what a person would have to do. */
export function provide() {
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return;
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
  const library = unpackLavapipe();
  if (missingOf(library).length > 0) {
    console.log(`Installing ${PACKAGE}: it brings what lavapipe links against ...`);
    install(PACKAGE);
  }
  const missing = missingOf(library);
  if (missing.length > 0)
    throw new Error(`lavapipe lacks ${missing.join(', ')}, which ${PACKAGE} did not bring.`);
  const icd = { file_format_version: '1.0.0', ICD: { api_version: '1.4.305', library_path: library } };
  // Last: whoever finds this file finds all of it.
  writeFileSync(LAVAPIPE, JSON.stringify(icd));
}

function call(command, args, env = {}) {
  const options = { encoding: 'utf8', env: { ...process.env, ...env }, cwd: CACHE };
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

/** The driver, out of the backports: with an apt of our own, so that neither root nor the machine's lists are needed. */
function unpackLavapipe() {
  const apt = join(CACHE, 'apt');
  rmSync(CACHE, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(apt, folder), { recursive: true });
  writeFileSync(join(apt, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror()} ${SUITE} main\n`);
  writeFileSync(
    join(apt, 'apt.conf'),
    [
      `Dir::Etc::sourcelist "${apt}/sources.list";`,
      'Dir::Etc::sourceparts "-";',
      `Dir::State::lists "${apt}/lists";`,
      `Dir::Cache "${apt}/cache";`,
      'APT::Sandbox::User "";',
      'Debug::NoLocking "1";',
      '',
    ].join('\n'),
  );
  const env = { APT_CONFIG: join(apt, 'apt.conf') };
  call('apt-get', ['-qq', 'update'], env);
  call('apt-get', ['-qq', 'download', `${PACKAGE}/${SUITE}`], env);
  const archive = readdirSync(CACHE).find((name) => name.endsWith('.deb'));
  call('dpkg-deb', ['-x', archive, 'root']);
  rmSync(join(CACHE, archive));
  rmSync(apt, { recursive: true });
  const found = readdirSync(join(CACHE, 'root'), { recursive: true }).find((name) =>
    name.endsWith('/libvulkan_lvp.so'),
  );
  return join(CACHE, 'root', found);
}

/** Where this machine has its packages from. */
function mirror() {
  if (!/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8')) || !existsSync(KEYRING)) {
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
