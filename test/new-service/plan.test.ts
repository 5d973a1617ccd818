import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { REASONS } from '#kit';
import { MODULES } from '#modules';

import { LISTINGS } from '../../cli/new/listings.ts';
import { MODEL_FILES } from '../../cli/new/model-service.ts';
import { type Plan, type PlanOptions, planService } from '../../cli/new/plan.ts';
import { readServiceWords } from '../../cli/new/service-words.ts';
import { expectRefusal } from '../database/expect-refusal.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

/** The plan for this repository, or for one that differs from it. */
function plan(name: string, changes: Partial<PlanOptions> = {}): Promise<Plan> {
  return planService({ words: readServiceWords(name), modules: MODULES, reasons: REASONS, read, exists: (path) => existsSync(join(ROOT, path)), ...changes });
}

/** As `read`, from a repository in which one file holds something else. */
function readWith(changedPath: string, change: (text: string) => string): PlanOptions['read'] {
  return async (path) => (path === changedPath ? change(await read(path)) : read(path));
}

function textOf({ files }: Plan, path: string): string {
  return files.find((file) => file.path === path)?.text ?? expect.fail(`${path} is not planned`);
}

describe('a new service', () => {
  it('has the next port, is the last of every list, and has five files in its folder', async () => {
    const planned = await plan('review');
    const port = Math.max(...Object.values(MODULES)) + 1;
    expect(planned.port).to.equal(port);
    expect(textOf(planned, 'services/modules.ts')).to.include(`,\n  review: ${port},\n} as const`).and.include("  review: () => import('./review/service.ts'),\n};");
    expect(textOf(planned, 'services/review/README.md')).to.include(`\`shop.review.v1.ReviewService\`, port ${port}`);
    expect(textOf(planned, 'docker-compose.yml')).to.match(new RegExp(`^ {2}review:\n(?:.+\n)+?.*healthcheck.js, '${port}'`, 'm'));
    expect(planned.files.filter(({ path }) => path.startsWith('services/review/'))).to.have.length(5);
  });

  it('can be followed by another', async () => {
    const first = await plan('review');
    const changed = new Map(first.files.map(({ path, text }) => [path, text]));
    const second = await plan('invoice', { modules: { ...MODULES, review: first.port }, read: async (path) => changed.get(path) ?? read(path) });
    expect(second.port).to.equal(first.port + 1);
    expect(textOf(second, 'services/modules.ts')).to.include(`,\n  review: ${first.port},\n  invoice: ${second.port},\n} as const`);
    for (const { path } of LISTINGS) expect(textOf(second, path).search(/invoice/i), path).to.be.greaterThan(textOf(second, path).search(/review/i));
  });

  it('has nothing left of its model, whose word and article become its own', async () => {
    for (const { path, text } of (await plan('invoice')).files.filter(({ kind }) => kind === 'new')) {
      expect(text, path).to.match(/invoice/i);
      expect(text, path).not.to.match(/user|email|display_?name|\ba invoice/i);
    }
    expect(textOf(await plan('invoice'), 'proto/shop/invoice/v1/invoice.proto')).to.include('// Creates an invoice. The same invoice_id with');
    expect(textOf(await plan('category'), 'services/category/store.ts')).to.include('FROM categories WHERE category_id > $1');
  });

  const taken: Readonly<Record<string, string>> = {
    order: 'there is such a service (services/order)',
    database: 'database/ is a folder of the repository',
    shipment: 'SHIPMENT_NOT_FOUND is a reason already',
    page: 'the new service\'s code would use it for something else as well, as services/user/handlers.ts does',
  };
  for (const [name, says] of Object.entries(taken)) {
    it(`is not called ${name}: ${says}`, async () => {
      const { message } = await expectRefusal('INVALID_ARGUMENT', plan(name));
      expect(message).to.include(`"${name}" cannot name a service: ${says}`);
    });
  }

  it('overwrites nothing', async () => {
    const { message } = await expectRefusal('INVALID_ARGUMENT', plan('review', { exists: (path) => path === 'test/review' }));
    expect(message).to.include('test/review/ is there, and nothing is overwritten');
  });

  it('is not written where its model is not, as in an image', async () => {
    const { message } = await expectRefusal('INVALID_ARGUMENT', plan('review', { read: async () => undefined }));
    expect(message).to.include('proto/shop/user/v1/user.proto is not here').and.include('use a clone of the repository');
  });
});

describe('a new service whose model has changed', () => {
  const changing = MODEL_FILES.filter(({ changes }) => changes.length > 0);
  for (const { path } of [...changing, ...LISTINGS]) {
    it(`is refused with the name of ${path} when that no longer holds what is looked for`, async () => {
      const { message } = await expectRefusal('INTERNAL', plan('review', { read: readWith(path, () => 'something else\n') }));
      expect(message).to.match(new RegExp(`^${path} (holds|says) .*; bring cli/new in line with it \\(nothing was written\\)$`, 's'));
    });
  }

  for (const { path } of MODEL_FILES) {
    it(`is refused when ${path} has more that is the model's own`, async () => {
      const { message } = await expectRefusal('INTERNAL', plan('review', { read: readWith(path, (text) => `${text}\n// Also by Email.\n`) }));
      expect(message).to.include(`${path} says "Email", which is its own matter`);
    });
  }
});
