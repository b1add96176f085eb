import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generated, read, render } from './render.mjs';

test('the committed code is the one that the IDL gives', async () => {
  const [committed, rendered] = await Promise.all([read(generated), render()]);
  assert.deepEqual([...committed.keys()].sort(), [...rendered.keys()].sort(), 'run `npm run generate`');
  for (const [path, text] of rendered) {
    assert.ok(committed.get(path) === text, `${path} is out of date: run \`npm run generate\``);
  }
});
