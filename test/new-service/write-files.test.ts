import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import type { PlannedFile } from '../../cli/new/plan.ts';
import { writeFiles } from '../../cli/new/write-files.ts';
import { createScratch, type Scratch } from '../checks/support/scratch.ts';
import { expectRefusal } from '../database/expect-refusal.ts';

const FILES: readonly PlannedFile[] = [
  { kind: 'new', path: 'services/review/store.ts', about: '', text: 'a store' },
  { kind: 'new', path: 'services/review/migrations/001.do.review.sql', about: '', text: 'a table' },
  { kind: 'changed', path: 'services/modules.ts', about: '', before: 'user', text: 'user, review' },
  { kind: 'changed', path: 'kit/reasons.ts', about: '', before: 'USER', text: 'USER, REVIEW' },
];

describe('the files of a new service', () => {
  let scratch: Scratch;
  beforeEach(async () => {
    scratch = await createScratch();
    await scratch.write({ 'services/modules.ts': 'user', 'kit/reasons.ts': 'USER' });
  });
  afterEach(() => scratch.remove());

  async function contents(): Promise<Record<string, string>> {
    const names = await readdir(scratch.folder, { recursive: true, withFileTypes: true });
    const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    return Object.fromEntries(await Promise.all(paths.map(async (path) => [path.slice(scratch.folder.length + 1), await readFile(path, 'utf8')] as const)));
  }

  it('are written, all of them', async () => {
    await writeFiles(scratch.folder, FILES);
    expect(await contents()).to.deep.equal(Object.fromEntries(FILES.map(({ path, text }) => [path, text])));
  });

  it('are none when a file was changed meanwhile', async () => {
    await scratch.write({ 'kit/reasons.ts': 'USER, PRODUCT' });
    const { message } = await expectRefusal('INVALID_ARGUMENT', writeFiles(scratch.folder, FILES));
    expect(message).to.equal('nothing was written: kit/reasons.ts was changed at the same time; try again');
    expect(await contents()).to.deep.equal({ 'services/modules.ts': 'user', 'kit/reasons.ts': 'USER, PRODUCT' });
    expect(await readdir(join(scratch.folder, 'services'))).to.deep.equal(['modules.ts']);
  });

  it('are none when one of them is there, which stays as it is', async () => {
    await mkdir(join(scratch.folder, 'services/review/migrations'), { recursive: true });
    await writeFile(join(scratch.folder, 'services/review/migrations/001.do.review.sql'), 'mine');
    await expectRefusal('INVALID_ARGUMENT', writeFiles(scratch.folder, FILES));
    expect(await contents()).to.deep.equal({ 'services/modules.ts': 'user', 'kit/reasons.ts': 'USER', 'services/review/migrations/001.do.review.sql': 'mine' });
  });
});
