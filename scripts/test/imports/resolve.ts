import { posix } from 'node:path';

export type Resolved =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'builtin' };

/** The `imports` of package.json: `#name` to a path that begins with `./`. */
export type EntryNames = Readonly<Record<string, string>>;

/** Where a specifier written in `from` leads. Files are given relative to the root, with `/`. */
export function resolveImport(specifier: string, from: string, entries: EntryNames): Resolved {
  if (specifier.startsWith('node:')) return { kind: 'builtin' };
  if (/^\.\.?(\/|$)/.test(specifier)) return { kind: 'file', file: posix.join(posix.dirname(from), specifier) };
  if (specifier.startsWith('#')) {
    const target = entryTarget(specifier, entries);
    return target === undefined ? { kind: 'package', name: specifier } : { kind: 'file', file: posix.normalize(target) };
  }
  const parts = specifier.split('/');
  return { kind: 'package', name: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/') };
}

function entryTarget(specifier: string, entries: EntryNames): string | undefined {
  const exact = entries[specifier];
  if (exact !== undefined) return exact;
  for (const [pattern, target] of Object.entries(entries)) {
    const [head = '', tail] = pattern.split('*');
    if (tail === undefined || !specifier.startsWith(head) || !specifier.endsWith(tail)) continue;
    return target.replaceAll('*', specifier.slice(head.length, specifier.length - tail.length));
  }
  return undefined;
}
