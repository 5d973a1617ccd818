import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

  it('is lost only for a while on a full disk', () => {
    const to = streams();
    const output = createOutput(false, to);
    to.stdout.emit('error', Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }));
    expect(output.readerGone.aborted).to.equal(false);
    output.note('there is room again');
    expect(to.stdout.read()?.toString()).to.equal('there is room again\n');
  });

  it('goes on in its file, such as the log of a detached shop, when that has room again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shopmesh-output-'));
    const file = join(folder, 'up.log');
    const fd = openSync(file, 'a');
    const program = `
      import { createOutput } from ${JSON.stringify(import.meta.resolve('../../cli/output.ts'))};
      const output = createOutput(false);
      process.on('message', (line) => {
        output.note(line);
        process.send(output.readerGone.aborted);
      });`;
    // A file that is full at 4 or 8 KB, for anybody and on any disk.
    const child = spawn('sh', ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', program], { stdio: ['ignore', fd, 'inherit', 'ipc'] });
    closeSync(fd);
    const say = async (line: string): Promise<unknown> => {
      const answered = once(child, 'message');
      child.send(line);
      return (await answered)[0];
    };
    for (const line of ['x'.repeat(10_000), 'nor is there for this']) expect(await say(line)).to.equal(false);
    truncateSync(file);
    expect(await say('now there is room')).to.equal(false);
    expect(readFileSync(file, 'utf8')).to.equal('now there is room\n');
    child.disconnect();
    expect((await once(child, 'exit'))[0]).to.equal(0);
    rmSync(folder, { recursive: true });
  });

  it('is padded to columns', () => {
    expect(table([['NAME', 'PORT', ''], ['order', '50056', 'x']])).to.equal('NAME   PORT\norder  50056  x');
  });

  it('shows no control character of anybody\'s, but each document for programs as it is', () => {
    expect(table([['NAME', 'PORT'], ['\u001b[2Jorder\n', '1']])).to.equal('NAME        PORT\n·[2Jorder·  1');
    const to = streams();
    createOutput(false, to).note('waiting for \u009b31m\u202e');
    createOutput(true, to).answer(() => '', { why: '\u001b[2J' });
    expect(to.stdout.read()?.toString()).to.equal('waiting for ·31m·\n{"why":"\\u001b[2J"}\n');
  });

  describe('when it fails', () => {
    it('shows no control character, and further lines of a sentence apart from its own', () => {
      const wild = refusal('INVALID_ARGUMENT', 'no\u001b[2J\nerror: all is well\r', { violations: [{ field: 'na\u009bme', description: 'a\u0007\nb' }] });
      expect(renderError(wild, false)).to.equal('error: no·[2J\n  error: all is well· (INVALID_ARGUMENT)\n  na·me: a·\n  b');
      const ours = Object.assign(new TypeError('x'), { stack: 'TypeError: \u001b[2J\n    at a.ts:1' });
      expect(renderError(ours, false)).to.match(/\(INTERNAL\)\nTypeError: ·\[2J\n {4}at a\.ts:1$/);
    });

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
