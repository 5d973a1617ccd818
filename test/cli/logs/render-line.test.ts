import { expect } from 'chai';

import { createLog, MeshError, refusal } from '#kit';

import { readLine } from '../../../cli/logs/log-line.ts';
import { renderLine } from '../../../cli/logs/render-line.ts';

describe('a line of a log, for people', () => {
  const file = { name: 'order.log', process: 'order', service: 'order', isConsole: false, isCurrent: true };
  const render = (text: string, colour = false): string => renderLine(readLine({ text, droppedBytes: 0 }, file), { colour });

  it('has its fields, a word as it is and others as JSON', () => {
    const text = render('{"level":50,"service":"order","pid":1,"hostname":"x","saga":"s-1","tries":[1],"why":"two words","msg":"failed"}');
    expect(text).to.equal(`${' '.repeat(14)}order           error  failed  saga=s-1 tries=[1] why="two words"`);
  });

  it('shows where an error came from, below it', () => {
    const err = { type: 'TypeError', message: 'no', stack: 'TypeError: no\n    at a.ts:1' };
    expect(render(JSON.stringify({ level: 'error', err, msg: 'fell' })).split('\n').slice(1)).to.deep.equal(['    TypeError: no', '        at a.ts:1']);
    const long = render(JSON.stringify({ level: 'error', err: { stack: 'x\n'.repeat(1_000) } })).split('\n');
    expect(long).to.have.length(42);
    expect(long.at(-1)).to.equal('    … and 961 more lines');
    expect(render('{"err":{"code":"X"}}')).to.match(/\n {4}\{"code":"X"\}$/);
  });

  describe('that the log of a service has written of an error with causes', () => {
    /** Below the line itself. */
    const written = (err: unknown, level: 'error' | 'warn' = 'error'): string[] => {
      let text = '';
      createLog({ level: 'warn', destination: { write: (line) => void (text += line) } })[level]({ err }, 'failed');
      return render(text.trim()).split('\n').slice(1);
    };
    const deep = (message: string, frames: number, cause?: unknown): Error =>
      Object.assign(new Error(message, { cause }), { stack: [`Error: ${message}`, ...Array.from({ length: frames }, (_, index) => `    at f.ts:${index}`)].join('\n') });

    it('shows them all, each with its own stack', () => {
      const lines = written(MeshError.from(new TypeError('no row', { cause: refusal('UNREACHABLE', 'the disk is away') })));
      expect(lines.filter((line) => !/^ {8}at /.test(line))).to.deep.equal([
        '    MeshError: something went wrong inside; the log of the service has the cause',
        '    Caused by: TypeError: no row',
        '    Caused by: MeshError: the disk is away',
      ]);
      expect(lines.filter((line) => line.includes('render-line.test.ts')), 'where from').to.have.length.at.least(2);
    });

    it('tells a refusal that was foreseen in a line for each, without where from, unless the line is about an error', () => {
      const rejected = refusal('PAYMENT_REJECTED', 'Stripe refuses the key', { metadata: { key: 'expired' }, cause: deep('no such key', 20) });
      expect(written(rejected, 'warn')).to.deep.equal(['    MeshError: Stripe refuses the key (FAILED_PRECONDITION, PAYMENT_REJECTED) metadata={"key":"expired"}', '    Caused by: Error: no such key']);
      expect(written(rejected)).to.have.length.above(20);
      expect(written(refusal('UNREACHABLE', 'it is away', { cause: MeshError.from(deep('a slip', 20)) }), 'warn')).to.have.length.above(20);
      expect(written(deep('a slip', 20), 'warn')).to.have.length.above(20);
    });

    it('keeps room for the last, however long the others are', () => {
      const lines = written(deep('outer', 100, deep('inner', 100, deep('innermost', 3))));
      expect(lines).to.have.length.at.most(40);
      expect(lines).to.include.members(['    Error: outer', '    Caused by: Error: inner', '    Caused by: Error: innermost', '        at f.ts:2']);
      expect(lines.filter((line) => /… and \d+ more lines/.test(line))).to.have.length(2);
    });

    it('ends somewhere', () => {
      let err = deep('the last', 1);
      for (let depth = 0; depth < 100; depth += 1) err = deep('on the way', 10, err);
      expect(written(err)).to.have.length.at.most(40);
    });
  });

  it('shows no control character, and not more than one can read', () => {
    const wild = JSON.stringify({ service: '\u001b[31m', msg: '\u001b[2Jx\ny', '\u0007': '\u202e', trace_id: '\u001b' });
    for (const text of [wild, '\u001b[2J', `{"msg":"${'z'.repeat(10_000)}"}`, 'z'.repeat(10_000)]) {
      expect(render(text)).to.not.match(/[\p{Cc}\p{Cf}]/u);
      expect(render(text).length).to.be.lessThan(4_200);
    }
    expect(render('z'.repeat(10_000))).to.match(/… and 6000 more bytes$/);
  });

  it('takes what only looks structured as it is', () => {
    for (const text of ['{"msg":"cut', '[1]', '"x"', '42', '{']) expect(render(text)).to.equal(`${' '.repeat(14)}order.log       ${text}`);
  });

  it('is coloured on a terminal only', () => {
    const text = '{"level":"warn","service":"order","msg":"x","a":1}';
    expect(render(text)).to.not.include('\u001b');
    expect(render(text, true)).to.include('\u001b[33mwarn\u001b[39m').and.to.include('\u001b[2ma=1');
  });
});
