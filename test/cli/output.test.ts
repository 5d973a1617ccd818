import { PassThrough } from 'node:stream';

import { expect } from 'chai';

import { MeshError, refusal } from '#kit';

import { closestName } from '../../cli/did-you-mean.ts';
import { createOutput, renderError, table } from '../../cli/output.ts';

describe('what a command prints', () => {
  const streams = (): { stdout: PassThrough; stderr: PassThrough } => ({ stdout: new PassThrough(), stderr: new PassThrough() });

  it('is text for people, with what happens meanwhile, and one document a line for programs', () => {
    const [forPeople, forPrograms] = [streams(), streams()];
    for (const [json, to] of [[false, forPeople], [true, forPrograms]] as const) {
      const output = createOutput(json, to);
      output.note('waiting …');
      output.answer(() => 'two\nlines', { lines: 2 });
    }
    expect(forPeople.stdout.read()?.toString()).to.equal('waiting …\ntwo\nlines\n');
    expect(forPrograms.stdout.read()?.toString()).to.equal('{"lines":2}\n');
  });

  it('is lost, without harm, once nobody reads any more', () => {
    const to = streams();
    const output = createOutput(false, to);
    expect(output.readerGone.aborted).to.equal(false);
    to.stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(output.readerGone.aborted).to.equal(true);
    output.note('to nobody');
    expect(to.stdout.read()).to.equal(null);
  });

  it('is padded to columns', () => {
    expect(table([['NAME', 'PORT', ''], ['order', '50056', 'x']])).to.equal('NAME   PORT\norder  50056  x');
  });

  describe('when it fails', () => {
    const error = new MeshError('INVALID_ARGUMENT', 'INVALID_PAGE_TOKEN', 'start again', {
      metadata: { token: 'x' },
      violations: [{ field: 'page_token', description: 'must be one of ours' }],
    });

    it('is the sentence, code and reason, and the fields that are at fault', () => {
      expect(renderError(error, false)).to.equal('error: start again (INVALID_ARGUMENT, INVALID_PAGE_TOKEN)\n  page_token: must be one of ours');
      expect(renderError(refusal('CANCELLED', 'gone'), false)).to.equal('error: gone (CANCELLED)');
    });

    it('names a field once', () => {
      const said = refusal('INVALID_ARGUMENT', 'name: must be set', { violations: [{ field: 'name', description: 'must be set' }] });
      expect(renderError(said, false)).to.equal('error: name: must be set (INVALID_ARGUMENT)');
    });

    it('is everything for programs', () => {
      expect(JSON.parse(renderError(error, true))).to.deep.equal({
        error: {
          code: 'INVALID_ARGUMENT',
          reason: 'INVALID_PAGE_TOKEN',
          message: 'start again',
          metadata: { token: 'x' },
          violations: [{ field: 'page_token', description: 'must be one of ours' }],
        },
      });
    });

    it('shows where, when the fault is this program\'s own, and never what lies below a refusal', () => {
      expect(renderError(new TypeError('oops'), false)).to.match(/\(INTERNAL\)\nTypeError: oops\n +at /);
      expect(renderError(new TypeError('oops'), true)).not.to.include('oops');
      expect(renderError(refusal('UNREACHABLE', 'gone', { cause: new Error('secret') }), false)).not.to.include('secret');
    });
  });
});

describe('a guess at what was meant', () => {
  const names = ['user', 'inventory', 'payment', 'order'];

  it('is the closest name, up to a third of its letters away', () => {
    expect(closestName('invntory', names)).to.equal('inventory');
    expect(closestName('odrer', names)).to.equal('order');
    expect(closestName('users', names)).to.equal('user');
  });

  it('is none where nothing is close', () => {
    for (const far of ['cart', 'xyz', '', 'shipping']) expect(closestName(far, names)).to.equal(undefined);
  });
});
