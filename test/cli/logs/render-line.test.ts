import { expect } from 'chai';

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
