import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { createLineSplitter } from '../../../cli/logs/line-splitter.ts';
import { endOfLines, linesBackwards } from '../../../cli/logs/lines-backwards.ts';
import { MAX_LINE_BYTES, type RawLine } from '../../../cli/logs/raw-line.ts';

describe('reading the lines of a file', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shopmesh-lines-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** Of a file with this content, from its end; in the order in which they stand there. */
  async function backwards(content: string | Buffer, endBytes = Buffer.byteLength(content)): Promise<RawLine[]> {
    const path = join(folder, 'file');
    await writeFile(path, content);
    await using handle = await open(path);
    const lines: RawLine[] = [];
    for await (const line of linesBackwards(handle, endBytes)) lines.unshift(line);
    return lines;
  }

  function forwards(content: Buffer, chunkBytes: number): RawLine[] {
    const splitter = createLineSplitter();
    const lines: RawLine[] = [];
    for (let from = 0; from < content.length; from += chunkBytes) lines.push(...splitter.push(content.subarray(from, from + chunkBytes)));
    return [...lines, ...splitter.flush()];
  }

  const long = MAX_LINE_BYTES + 1;
  const contents = [
    '',
    '\n',
    'a',
    'a\n',
    '\n\na\n\nb',
    'a\r\nb\r\n',
    `${'ä'.repeat(40_000)}\n${'ö'.repeat(40_000)}\nend`,
    `${'x'.repeat(long)}\nafter`,
    `before\n${'x'.repeat(3 * long)}`,
    `${'x'.repeat(65_535)}\n${'y'.repeat(65_536)}\n${'z'.repeat(65_537)}`,
    Array.from({ length: 3_000 }, (_, index) => 'z'.repeat(index % 200)).join('\n'),
  ];
  for (const [index, content] of contents.entries()) {
    it(`gives the same from either end, in pieces of any size, content ${index + 1}`, async () => {
      const expected = content.split(/\r?\n/).filter((line) => line !== '').map((line) => {
        const head = Buffer.from(line).subarray(0, MAX_LINE_BYTES);
        return { text: head.toString(), droppedBytes: Buffer.byteLength(line) - head.length };
      });
      expect(await backwards(content)).to.deep.equal(expected);
      for (const chunkBytes of [7_001, 65_536, 1_000_000]) expect(forwards(Buffer.from(content), chunkBytes)).to.deep.equal(expected);
    });
  }

  it('stops where it is told to, and knows where the last whole line ends', async () => {
    expect((await backwards('one\ntwo\nthree\n', 7)).map(({ text }) => text)).to.deep.equal(['one', 'two']);
    const ends = [['one\ntw', 4], ['one\n', 4], ['on', 0], ['', 0], [`a\n${'x'.repeat(100_000)}`, 2], ['x'.repeat(2 * long), 2 * long]] as const;
    for (const [content, end] of ends) {
      await backwards(content);
      await using handle = await open(join(folder, 'file'));
      expect(await endOfLines(handle, Buffer.byteLength(content)), `${content.length} bytes`).to.equal(end);
    }
  });
});
