// publint on every packed package: do its manifest and its files agree?
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { tarballs } from './pack.ts';

for (const file of tarballs()) {
  const tarball = new Uint8Array(readFileSync(file)).buffer;
  const { messages, pkg } = await publint({ strict: true, pack: { tarball } });
  for (const message of messages)
    console.error(`${pkg.name}: ${message.type}: ${formatMessage(message, pkg)}`);
  if (messages.length > 0) process.exitCode = 1;
  else console.log(`${pkg.name}: nothing to say`);
}
