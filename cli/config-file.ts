import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { refusal } from '#kit';

const NAME = 'mesh.config.ts';
const SHAPE = 'it must have a default export: an object of settings, such as { MESH_ZONE: \'b\', MESH_PORT_ORDER: 6056 }';

/** The settings in the current folder's `mesh.config.ts`, as text; none where there is no such file. */
export async function readConfigFile(): Promise<Readonly<Record<string, string>>> {
  const path = resolve(NAME);
  if (!existsSync(path)) return {};
  const config = await load(path);
  if (typeof config !== 'object' || config === null) throw refusal('INVALID_SETTING', `${path} cannot be used: ${SHAPE}`);
  const settings: [string, string][] = [];
  for (const [name, value] of Object.entries(config)) if (value !== undefined) settings.push([name, readValue(name, value)]);
  return Object.fromEntries(settings);
}

async function load(path: string): Promise<unknown> {
  try {
    const loaded: { default?: unknown } = await import(pathToFileURL(path).href);
    return loaded.default;
  } catch (cause) {
    throw refusal('INVALID_SETTING', `${path} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function readValue(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw refusal('INVALID_SETTING', `${name} (${NAME}) is neither text, a number, true nor false`);
}
