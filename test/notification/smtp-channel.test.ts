import { expect } from 'chai';

import type { MailChannel, MailOutcome } from '../../services/notification/channel/mail-channel.ts';
import { type Answer, type MailServer, startMailServer } from './mail-server.ts';
import { channelTo, freely, MAIL } from './test-channel.ts';

describe('the SMTP channel', () => {
  let server: MailServer;
  let channel: MailChannel;
  before(async () => {
    server = await startMailServer();
  });
  beforeEach(() => {
    channel = channelTo({ port: server.port });
  });
  afterEach(async () => {
    await channel.stop();
    server.reset();
  });
  after(() => server.stop());

  it('brings a mail whole, with a Message-ID that is the same each time', async () => {
    for (let twice = 0; twice < 2; twice += 1) expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
    const [mail, again] = server.taken;
    expect(mail?.subject).to.equal(MAIL.subject);
    expect(mail?.text).to.equal(MAIL.text);
    expect(mail?.to).to.have.nested.property('value').that.deep.equals([MAIL.to]);
    expect(mail?.from).to.have.nested.property('text', 'shop@shop.example');
    expect(mail?.date).to.deep.equal(MAIL.date);
    expect(mail?.headers.get('auto-submitted')).to.equal('auto-generated');
    expect(mail?.messageId).to.equal('<0190-some-id@shop.example>');
    expect(again?.messageId).to.equal(mail?.messageId);
    expect(server.heard).to.deep.equal(['MAIL shop@shop.example', 'RCPT buyer@example.com', 'MAIL shop@shop.example', 'RCPT buyer@example.com']);
  });

  it('uses a connection again, and a new one when the server has closed it', async () => {
    for (let twice = 0; twice < 2; twice += 1) await channel.send(MAIL, freely());
    expect(server.connections).to.equal(1);
    server.atEnd(() => 'hang up');
    await channel.send(MAIL, freely());
    server.atEnd(() => 'go on');
    expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
    expect(server.connections).to.equal(2);
  });

  it('hands over when the server is ready for the mail, and not before', async () => {
    const order: string[] = [];
    server.atRecipient(() => {
      order.push('recipient');
      return 'go on';
    });
    server.atEnd(() => {
      order.push('mail');
      return 'go on';
    });
    await channel.send(MAIL, { ...freely(), handOver: async () => void order.push('handed over') });
    expect(order).to.deep.equal(['recipient', 'handed over', 'mail']);
  });

  it('lets nothing leave when handing over is refused, and says why', async () => {
    const refused = new Error('somebody else has it');
    const thrown = await channel.send(MAIL, { ...freely(), handOver: () => Promise.reject(refused) }).catch((caught: unknown) => caught);
    expect(thrown).to.equal(refused);
    expect(server.taken).to.deep.equal([]);
    expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
  });

  const answers: readonly [what: string, at: 'atSender' | 'atRecipient' | 'atData' | 'atEnd', answer: Answer, expected: MailOutcome['kind'], handedOver: boolean][] = [
    ['that does not take our sender', 'atSender', 550, 'not-now', false],
    ['that takes no mail so large', 'atSender', 552, 'refused', false],
    ['that puts a recipient off', 'atRecipient', 451, 'not-now', false],
    ['that does not know the recipient', 'atRecipient', 550, 'refused', false],
    ['that puts the whole mail off', 'atEnd', 451, 'not-now', true],
    ['that shuts down at the end of the mail', 'atEnd', 421, 'not-now', true],
    ['that refuses the whole mail', 'atEnd', 554, 'refused', true],
    ['that wants a login', 'atRecipient', 530, 'not-now', false],
    ['that hangs up at the recipient', 'atRecipient', 'hang up', 'not-now', false],
    ['that hangs up in the mail', 'atData', 'hang up', 'unknown', true],
    ['that hangs up instead of answering', 'atEnd', 'hang up', 'unknown', true],
  ];
  for (const [what, at, answer, expected, handedOver] of answers) {
    it(`takes a server ${what} at its word: ${expected}`, async () => {
      let isHandedOver = false;
      server[at](() => answer);
      const outcome = await channel.send(MAIL, { ...freely(), handOver: async () => void (isHandedOver = true) });
      expect(outcome.kind).to.equal(expected);
      expect(outcome).to.have.property('reason').that.does.not.contain('buyer@');
      if (answer !== 530) expect(isHandedOver).to.equal(handedOver);
      server.reset();
      expect(await channel.send(MAIL, freely())).to.deep.equal({ kind: 'taken' });
    });
  }

  it('waits for better times when no server is there', async () => {
    const gone = await startMailServer();
    await gone.stop();
    expect(await channelTo({ port: gone.port }).send(MAIL, freely())).to.deep.include({ kind: 'not-now' });
  });

  it('does not wait for ever for a server that says nothing: not before the mail, and not after', async () => {
    const impatient = channelTo({ port: server.port }, { timeouts: { connectMs: 10_000, silenceMs: 400, mailMs: 10_000 } });
    const { promise: never, resolve: goOn } = Promise.withResolvers<Answer>();
    server.atRecipient(() => never);
    expect((await impatient.send(MAIL, freely())).kind).to.equal('not-now');
    server.atRecipient(() => 'go on');
    server.atEnd(() => never);
    expect((await impatient.send(MAIL, freely())).kind).to.equal('unknown');
    goOn('hang up');
  });

  it('gives up when it is told to: what has not left is not sent, of what has left nobody knows', async () => {
    const { promise: never, resolve: goOn } = Promise.withResolvers<Answer>();
    for (const [at, expected] of [['atRecipient', 'not-now'], ['atEnd', 'unknown']] as const) {
      const caller = new AbortController();
      const reached = Promise.withResolvers<void>();
      server.reset();
      server[at](() => {
        reached.resolve();
        return never;
      });
      const sending = channel.send(MAIL, { ...freely(), signal: caller.signal });
      await reached.promise;
      caller.abort();
      expect((await sending).kind).to.equal(expected);
    }
    goOn('hang up');
    expect((await channel.send(MAIL, { ...freely(), signal: AbortSignal.abort() })).kind).to.equal('not-now');
  });

  it('cannot tell what became of a mail later', async () => {
    expect(await channel.wasTaken(MAIL.id, undefined)).to.equal(undefined);
  });

  it('closes its connections when it is stopped', async () => {
    const quiet = await startMailServer();
    const other = channelTo({ port: quiet.port });
    await other.send(MAIL, freely());
    await other.stop();
    // Would wait for a client that stays, and then cut it off.
    await quiet.stop();
  });
});
