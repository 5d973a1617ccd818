import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CODES } from '#kit';
import { listSourceFiles } from './source-files.ts';
import { type ReadString, readStrings } from './read-strings.ts';

const catalogue = 'kit/reasons.ts';
/** Tests of the catalogue itself: they name reasons that nobody need ever give. */
const aboutTheCatalogue: ReadonlySet<string> = new Set(['test/checks/reasons.test.ts', 'test/docs/errors.test.ts']);
const productFolders = ['kit', 'tracing', 'discovery', 'database', 'mesh', 'events', 'saga', 'services', 'cli'];
/** Some reasons are called like their code, which is expected far more often. */
const codes: ReadonlySet<string> = new Set(CODES);

type FoundString = ReadString & { readonly file: string };
type Reading = { readonly strings: readonly FoundString[]; readonly unreadable: readonly string[] };

/** Reasons in the catalogue that nothing gives, or that no test expects, and reasons given that are not in it. */
export async function reasonProblems(root: string): Promise<string[]> {
  const reasons = namesIn(await readFile(join(root, catalogue), 'utf8'));
  const product = await readAll(root, productFolders);
  const tests = await readAll(root, ['test']);
  const given = new Set(product.strings.filter(isGiven).map(({ text }) => text));
  const expected = new Set(tests.strings.flatMap(expectedBy));
  const unknown = product.strings.filter(({ role, text }) => role === 'reason of a MeshError' && !reasons.includes(text));
  return [
    ...product.unreadable,
    ...tests.unreadable,
    ...unknown.map(({ file, line, text }) => `${file}:${line}: ${text} is not in ${catalogue}`),
    ...reasons.filter((reason) => !given.has(reason)).map((reason) => `${catalogue}: nothing gives ${reason}; take it out, also of docs/errors.md`),
    ...reasons.filter((reason) => given.has(reason) && !expected.has(reason)).map((reason) => `${catalogue}: no test expects ${reason}`),
  ];
}

async function readAll(root: string, folders: readonly string[]): Promise<Reading> {
  const strings: FoundString[] = [];
  const unreadable: string[] = [];
  for (const file of await listSourceFiles(root, folders)) {
    if (file === catalogue || aboutTheCatalogue.has(file)) continue;
    const source = await readFile(join(root, file), 'utf8');
    try {
      strings.push(...readStrings(source).map((string) => ({ ...string, file })));
    } catch (error) {
      unreadable.push(`${file}: cannot be parsed (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return { strings, unreadable };
}

function namesIn(source: string): string[] {
  return [...source.matchAll(/^ {2}([A-Z_]+): '[A-Z_]+',$/gm)].map(([, name = '']) => name);
}

function isGiven({ text, role }: ReadString): boolean {
  if (role === 'reason of a refusal' || role === 'reason of a MeshError' || role === 'reason') return true;
  // Looked up in a table, returned by a function; but what it is compared with comes from elsewhere.
  return role === 'other' && !codes.has(text);
}

function expectedBy({ text, role, statement }: ReadString): string[] {
  if (role === 'title' || role === 'reason of a refusal' || role === 'reason of a MeshError' || role === 'type') return [];
  // Also within a longer text, such as what a command prints.
  const names = text.match(/\b[A-Z][A-Z_]+\b/g) ?? [];
  return names.filter((name) => !codes.has(name) || role === 'reason' || /reason|expectRefusal/i.test(statement));
}
