import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version in package.json: registered with every instance and shown by `mesh --version`. */
export const VERSION: string = readVersion();

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) throw new Error('package.json has no version');
  return String(manifest.version);
}
