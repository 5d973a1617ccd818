import type { Stats } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { errorCode, refusal } from '#kit';

import { endOfLines } from './lines-backwards.ts';

/** Where a process writes its lines, or wrote them in its last run. */
export interface LogFile {
  /** `inventory-2.log`, `order.log.1`. */
  readonly name: string;
  /** `inventory-2`. */
  readonly process: string;
  /** The service of its lines that do not name one. */
  readonly service: string;
  /** What another process printed on its terminal: of its lines only those that are structured belong to a log. */
  readonly isConsole: boolean;
  /** Not the file of the last run, which is only kept. */
  readonly isCurrent: boolean;
}

/** A file as it was when it was opened. */
export interface OpenLog {
  readonly file: LogFile;
  readonly handle: FileHandle;
  /** Tells it from another that has its name later. */
  readonly key: string;
  readonly endBytes: number;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** The supervisor's own lines, and what a detached one would print. */
const SUPERVISOR = new Set(['supervisor', 'up']);

/** The log files of a folder, by name; none where there is no such folder. INVALID_SETTING when it cannot be read. */
export async function listLogFiles(folder: string): Promise<readonly LogFile[]> {
  const names = (await unlessGone(folder, readdir(folder))) ?? [];
  return names.sort().flatMap((name) => readName(name) ?? []);
}

/** Undefined when it is gone meanwhile. `wholeLines`: without a last line that is still being written. */
export async function openLog(folder: string, file: LogFile, { wholeLines }: { readonly wholeLines: boolean }): Promise<OpenLog | undefined> {
  const path = join(folder, file.name);
  const handle = await unlessGone(path, open(path, 'r'));
  if (handle === undefined) return undefined;
  const stats = await handle.stat();
  const endBytes = wholeLines && file.isCurrent ? await endOfLines(handle, stats.size) : stats.size;
  return { file, handle, key: keyFrom(stats), endBytes, modifiedMs: stats.mtimeMs };
}

/** {@link OpenLog.key} of the file that has this name now; undefined when none has. */
export async function keyOf(folder: string, file: LogFile): Promise<string | undefined> {
  const path = join(folder, file.name);
  const stats = await unlessGone(path, stat(path));
  return stats && keyFrom(stats);
}

async function unlessGone<T>(path: string, access: Promise<T>): Promise<T | undefined> {
  try {
    return await access;
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT') return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal('INVALID_SETTING', `${path} cannot be read (${why}); MESH_DATA_DIR says where the shop keeps its logs`, { cause });
  }
}

function keyFrom({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

function readName(name: string): LogFile | undefined {
  const [, process, rotated] = /^([a-z][a-z0-9-]*)\.log(\.1)?$/.exec(name) ?? [];
  if (process === undefined) return undefined;
  const service = SUPERVISOR.has(process) ? 'mesh' : process.replace(/-\d+$/, '');
  return { name, process, service, isConsole: process === 'up', isCurrent: rotated === undefined };
}
