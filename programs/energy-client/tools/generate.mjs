// `npm run generate`: writes the generated code anew.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generated, render } from './render.mjs';

const files = await render();
await rm(generated, { recursive: true, force: true });
for (const [path, text] of files) {
  await mkdir(dirname(join(generated, path)), { recursive: true });
  await writeFile(join(generated, path), text);
}
console.log(`${files.size} files in ${generated}`);
