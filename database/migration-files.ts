import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { refusal } from '#kit';

/** A set of tables that is versioned by itself: a service's own, or one that a layer puts into the service's schema. */
export interface MigrationComponent {
  /** `[a-z_]+`, such as `order`, `saga`, `idempotency`. */
  readonly name: string;
  /** Absolute path of the folder with the files. */
  readonly directory: string;
}

/** One file `<version>.do.<name>.sql`. */
export interface MigrationFile {
  /** From 1, without gaps. */
  readonly version: number;
  readonly file: string;
}

/** The files of a component by version. Throws START_FAILED for a name that does not fit or a gap. */
export async function listMigrations({ name, directory }: MigrationComponent): Promise<MigrationFile[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql'));
  const migrations = files.map((file) => ({ file, version: versionOf(name, file) }));
  migrations.sort((left, right) => left.version - right.version);
  migrations.forEach(({ file, version }, index) => {
    if (version === index + 1) return;
    const sentence = `migration ${name}/${file} should have number ${index + 1}: the numbers run without gaps`;
    throw refusal('START_FAILED', sentence);
  });
  return migrations;
}

function versionOf(component: string, file: string): number {
  const digits = /^(\d+)\.do\.[a-z0-9-]+\.sql$/.exec(file)?.[1];
  if (digits === undefined) {
    const sentence = `migration ${component}/${file} should be called like 001.do.create-table.sql`;
    throw refusal('START_FAILED', sentence);
  }
  return Number(digits);
}

/** As the migration library writes it into the version table: the MD5 of the text with LF, so that a clone may have CRLF. */
export async function migrationChecksum({ directory }: MigrationComponent, { file }: MigrationFile): Promise<string> {
  const text = await readFile(join(directory, file), 'utf8');
  return createHash('md5').update(text.replace(/\r\n|\r/g, '\n')).digest('hex');
}

/** The table that holds a component's versions, in the schema that has the component. */
export function versionTable({ name }: MigrationComponent): string {
  return `migration_${name}`;
}
