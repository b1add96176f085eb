// `npm test`: compiles client and tests, then runs them with Node's own runner. The
// compiled files lie under node_modules, where they find the packages and git does
// not look.

import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const client = join(import.meta.dirname, '..');
const out = join(client, 'node_modules/.jirani-test');
rmSync(out, { recursive: true, force: true });
run([join(client, 'node_modules/typescript/bin/tsc'), '--outDir', out, '--rootDir', client]);
const compiled = readdirSync(join(out, 'test')).filter((name) => name.endsWith('.test.js'));
run(['--test', '--test-reporter=dot', 'tools/fresh.test.mjs', ...compiled.map((name) => join(out, 'test', name))]);

function run(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: client, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
