// Renders the IDL with Codama's renderer: one function for who writes the
// generated code and for the test that it is fresh. Four things are mended in the
// text: files end in `.gen.ts` and imports name the file they mean, as Node and
// browsers want it; types are imported as types; enums carry the IDL's numbers,
// which the renderer leaves out; refusals have their sentences in production too.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix, relative } from 'node:path';
import { renderVisitor } from '@codama/renderers-js';
import { visit } from '@codama/visitors-core';

/** The client's folder. */
export const client = join(import.meta.dirname, '..');
/** Where the generated code is committed. */
export const generated = join(client, 'src/generated');
const idl = join(client, '../energy/idl/energy.json');

/** Every file under a folder, as its path with slashes to its text. */
export async function read(folder) {
  const files = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      files.set(relative(folder, path).replaceAll('\\', '/'), await readFile(path, 'utf8'));
    }
  }
  return files;
}

/** The generated code that the committed IDL gives, by path. */
export async function render() {
  const folder = await mkdtemp(join(tmpdir(), 'jirani-energy-client-'));
  try {
    const root = JSON.parse(await readFile(idl, 'utf8'), filled);
    await visit(
      root,
      renderVisitor(folder, {
        generatedFolder: 'code',
        kitImportStrategy: 'rootOnly',
        syncPackageJson: false,
        prettierOptions: { printWidth: 110, singleQuote: true },
      }),
    );
    const rendered = await read(join(folder, 'code'));
    for (const type of root.program.definedTypes) {
      if (type.type.kind === 'enumTypeNode') number(rendered, type);
    }
    const errors = 'errors/energy.ts';
    rendered.set(
      errors,
      replaced(errors, rendered.get(errors), [
        [/if \(process\.env\['NODE_ENV'\] !== 'production'\) (?=\{\s*energyErrorMessages)/, ''],
        [/if \(process\.env\['NODE_ENV'\] !== 'production'\) \{\s*(return .*;)\s*\}\s*return '[^']*';/, '$1'],
      ]),
    );
    return new Map([...rendered].map(([path, text]) => [renamed(path), rewritten(path, text, rendered)]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The Rust crate leaves empty lists out; the renderer wants those of these nodes. */
function filled(_, node) {
  const lists = { rootNode: ['additionalPrograms'], pdaValueNode: ['seeds'], pdaNode: ['seeds'] }[node?.kind] ?? [];
  for (const list of lists) node[list] ??= [];
  return node;
}

/** Gives an enum's variants their numbers, and makes its codec use them. */
function number(rendered, { name, type }) {
  const path = `types/${name}.ts`;
  const pascal = name[0].toUpperCase() + name.slice(1);
  const numbers = type.variants.map((variant) => variant.discriminator);
  rendered.set(
    path,
    replaced(path, rendered.get(path), [
      [
        new RegExp(`export enum ${pascal} \\{([^}]*)\\}`),
        (_, body) => `export enum ${pascal} {${body.replace(/(\w+),/g, (__, variant) => `${variant} = ${numbers.shift()},`)}}`,
      ],
      [`getEnumEncoder(${pascal})`, `getEnumEncoder(${pascal}, { useValuesAsDiscriminators: true })`],
      [`getEnumDecoder(${pascal})`, `getEnumDecoder(${pascal}, { useValuesAsDiscriminators: true })`],
    ]),
  );
  if (numbers.length > 0) throw new Error(`${path} has fewer variants than the IDL`);
}

/** The text with each replacement made; all must apply. */
function replaced(path, text, replacements) {
  return replacements.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`${path} does not contain ${from}`);
    return after;
  }, text);
}

function renamed(path) {
  return path.replace(/\.ts$/, '.gen.ts');
}

function rewritten(path, text, rendered) {
  const typed = text.replace(/([{,]\s*)(\w+Seeds\b)(?=[^;]*from ')/, '$1type $2');
  return typed.replace(/(from\s+')(\.[^']*)(')/g, (_, before, target, after) => {
    const base = posix.join(posix.dirname(path), target);
    const file = [`${base}.ts`, `${base}/index.ts`].map((name) => posix.normalize(name)).find((name) => rendered.has(name));
    if (!file) throw new Error(`${path} imports ${target}, which was not generated`);
    const from = posix.relative(posix.dirname(path), renamed(file));
    return before + (from.startsWith('.') ? from : `./${from}`) + after;
  });
}
