import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect } from 'chai';

import { openTestDatabase } from '../database/open-test-database.ts';
import { runSql } from '../database/postgres-fixture.ts';
import { until } from '../database/until.ts';
import type { ServingProcess } from '../../cli/serving/serve.ts';
import { createPostgresBus, EVENT_LOG_SCHEMA, type Event } from '#events';
import { newId, silentLog, systemClock, systemRandom } from '#kit';
import { type EventsShop, makeEventsShop, placeRefusedOrder } from './events-shop.ts';
import { meshHere } from './support/in-process.ts';
import { type Finished, startMesh } from './support/mesh-command.ts';

interface Listed {
  readonly events: readonly { readonly id: string; readonly type: string; readonly subject: string; readonly source: string; readonly specversion: string }[];
}

describe('mesh events', function () {
  this.timeout(30_000);
  this.slow(5_000);

  let shop: EventsShop;
  let running: ServingProcess;
  let orderId: string;
  before(async () => {
    shop = await makeEventsShop();
    // Of the services, too, that do not run here.
    await meshHere(['migrate'], shop.environment);
    running = await shop.start();
    orderId = await placeRefusedOrder(shop, running);
    await until('its events are published', async () => (await typesOf(orderId)).length === 2);
  });
  after(async () => {
    await running?.stop();
    await shop?.remove();
  });

  const here = (...args: string[]): Promise<Finished> => meshHere(['events', ...args], shop.environment);

  async function asked<T>(...args: string[]): Promise<T> {
    const { exitCode, stdout, stderr } = await here(...args, '--json');
    expect({ exitCode, stderr }).to.deep.equal({ exitCode: 0, stderr: '' });
    // What the command writes with --json.
    return JSON.parse(stdout) as T;
  }

  async function typesOf(subject: string): Promise<readonly string[]> {
    return (await asked<Listed>('list', '--subject', subject)).events.map(({ type }) => type);
  }

  /** Hands an event to the bus as a service's relay would. */
  async function publish(event: Pick<Event, 'subject' | 'data'>): Promise<string> {
    const database = openTestDatabase({ url: shop.databaseUrl, schema: EVENT_LOG_SCHEMA });
    const bus = createPostgresBus({ database, clock: systemClock, random: systemRandom, log: silentLog });
    const id = newId(systemClock, systemRandom);
    await bus.publish([{ ...event, id, source: 'order', type: 'shop.order.v1.OrderPlaced', time: new Date(), traceparent: undefined }]);
    await bus.stop();
    await database.stop();
    return id;
  }

  describe('list', () => {
    it('shows what happened to an order, in its order', async () => {
      expect(await typesOf(orderId)).to.deep.equal(['shop.order.v1.OrderPlaced', 'shop.order.v1.OrderFailed']);
    });

    it('shows it to people as a table', async () => {
      const { stdout } = await here('list', '--topic', 'order');
      const [head, ...rows] = stdout.trimEnd().split('\n');
      expect(head).to.match(/^TIME +TYPE +SUBJECT +SOURCE +DATA$/);
      expect(rows[0]).to.match(new RegExp(`^\\d{4}-\\S+Z +OrderPlaced +${orderId} +order +\\{"`));
    });

    it('shows no more than it is told to, and of those the last', async () => {
      const { events } = await asked<Listed>('list', '--subject', orderId, '--limit', '1');
      expect(events.map(({ type, specversion, source }) => ({ type, specversion, source }))).to.deep.equal([
        { type: 'shop.order.v1.OrderFailed', specversion: '1.0', source: 'order' },
      ]);
    });

    it('goes on with --follow as events come, until Ctrl-C', async () => {
      const following = startMesh(['events', 'list', '--follow', '--subject', 'order-of-tomorrow'], shop, shop.folder);
      await following.untilPrinted(/^TIME +TYPE/m);
      await publish({ subject: 'order-of-tomorrow', data: { orderId: 'order-of-tomorrow' } });
      await following.untilPrinted(/OrderPlaced +order-of-tomorrow/);
      following.kill('SIGINT');
      expect(await following.finished).to.include({ exitCode: 130, stderr: '' });
    });

    it('says that there are none, and refuses a topic that nobody publishes to', async () => {
      expect((await here('list', '--subject', 'nobody')).stdout).to.equal('there are none\n');
      const { exitCode, stderr } = await here('list', '--topic', 'odrer');
      expect(exitCode).to.equal(1);
      expect(stderr).to.include('did you mean order?').and.include('INVALID_ARGUMENT');
    });
  });

  describe('lag', () => {
    it('shows that nobody is behind, once everything is consumed', async () => {
      await until('the group has caught up', async () => (await asked<{ groups: { events: number }[] }>('lag')).groups.every(({ events }) => events === 0));
      const { exitCode, stdout } = await here('lag');
      expect(exitCode).to.equal(0);
      expect(stdout).to.match(/^OUTBOX +WAITING +OLDEST +SET ASIDE$/m).and.match(/^order +0 +- +0$/m);
      expect(stdout).to.match(/^GROUP +TOPIC +BEHIND$/m).and.match(/^notification +shop\.order\.v1 +0$/m);
    });

    it('is nothing: the customer has the mails', async () => {
      await until('both are mailed', async () => (await readdir(shop.mailFolder).catch(() => [])).filter((file) => file.endsWith('.eml')).length >= 2);
      const files = (await readdir(shop.mailFolder)).filter((file) => file.endsWith('.eml'));
      const mails = await Promise.all(files.map((file) => readFile(join(shop.mailFolder, file), 'utf8')));
      expect(mails.every((mail) => mail.includes('buyer@example.com'))).to.equal(true);
    });
  });

  describe('dead', () => {
    interface Dead {
      readonly deadLetters: readonly { readonly deadLetterId: string; readonly reason: string; readonly tries: number; readonly who: string | null; readonly event: { readonly id: string } }[];
    }
    let eventId: string;
    before(async () => {
      expect((await here('dead')).stdout).to.equal('there are none\n');
      eventId = await publish({ subject: 'order-1', data: { orderId: { not: 'a text' } } });
      await until('it is given up', async () => (await dead()) !== undefined);
    });

    const dead = async (...args: string[]) => (await asked<Dead>('dead', ...args)).deadLetters.find(({ event }) => event.id === eventId);

    it('shows what a consumer has given up, and why', async () => {
      const letter = await dead();
      expect(letter).to.include({ reason: 'EVENT_UNREADABLE', who: null });
      const { stdout } = await here('dead', 'list', '--group', 'notification', '--reason', 'EVENT_UNREADABLE');
      expect(stdout).to.match(/^ID +GROUP +TYPE +SUBJECT +TRIES +SINCE +WHY$/m);
      expect(stdout).to.match(new RegExp(`^${letter?.deadLetterId} +notification +OrderPlaced +order-1 +\\d+ +\\S+Z +EVENT_UNREADABLE: `, 'm'));
      expect((await here('dead', '--group', 'somebody')).stdout).to.equal('there are none\n');
    });

    it('is what mesh doctor finds', async () => {
      const { exitCode, stdout } = await meshHere(['doctor'], shop.environment);
      expect(exitCode).to.equal(1);
      expect(stdout).to.match(/^FAIL +events +notification has given up 1 event, such as shop\.order\.v1\.OrderPlaced of order-1 for EVENT_UNREADABLE; see `npx mesh events dead`/m);
    });

    it('is replayed by its id, and comes back when that is in vain', async () => {
      const before = await dead();
      const { exitCode, stdout } = await here('replay', before?.deadLetterId ?? '', '--why', 'to see', '--by', 'ada');
      expect(exitCode).to.equal(0);
      expect(stdout).to.equal(`${before?.deadLetterId}  is handed to its consumer again\n`);
      await until('it has been tried once more', async () => ((await dead())?.tries ?? 0) > (before?.tries ?? 0));
      expect((await here('dead')).stdout).to.include('ada replayed it, in vain: to see');
    });

    it('is replayed with all others of its group and reason', async () => {
      const { tries = 0 } = (await dead()) ?? {};
      expect(await asked('replay', '--group', 'notification', '--reason', 'EVENT_UNREADABLE', '--why', 'mended')).to.deep.equal({ replayed: 1 });
      await until('it has been tried once more', async () => ((await dead())?.tries ?? 0) > tries);
      expect((await here('replay', '--reason', 'NONE_SUCH', '--why', 'mended')).stdout).to.equal('0 events are handed to their consumers again\n');
    });

    it('is discarded, and stays to be looked at', async () => {
      const { deadLetterId = '' } = (await dead()) ?? {};
      expect((await here('discard', deadLetterId, '--why', 'ticket 42', '--by', 'ada\u001b[2J')).exitCode).to.equal(0);
      expect(await dead()).to.equal(undefined);
      expect((await here('dead', '--state', 'discarded')).stdout).to.include('ada·[2J discarded it: ticket 42');
      expect((await here('replay', deadLetterId, 'nobody-knows', '--why', 'again'))).to.include({ exitCode: 1 });
      expect((await here('replay', deadLetterId, '--why', 'again')).stdout).to.include('DEAD_LETTER_SETTLED');
      expect((await here('discard', 'nobody-knows', '--why', 'again')).stderr).to.include('DEAD_LETTER_NOT_FOUND');
    });

    for (const args of [['replay', 'some-id'], ['discard', 'some-id'], ['replay', '--why', 'again'], ['replay', 'some-id', '--group', 'notification', '--why', 'again'], ['dead', '--state', 'lively'], ['list', '--limit', '0']]) {
      it(`takes \`mesh events ${args.join(' ')}\` for a misuse`, async () => {
        expect(await here(...args)).to.include({ exitCode: 2, stdout: '' });
      });
    }
  });

  describe('mesh doctor', () => {
    const doctor = async (): Promise<string> => (await meshHere(['doctor'], shop.environment)).stdout;

    it('finds nothing wrong with events and sagas that go their way', async () => {
      expect(await doctor()).to.match(/^OK +sagas +none is stuck, and none is held up$/m).and.match(/^OK +events +all are published, and none is given up$/m);
    });

    it('finds sagas whose step fails again and again, as when the card company is away', async () => {
      const attempts = (count: number): Promise<unknown> =>
        runSql(shop.databaseUrl, `UPDATE "order".saga SET status = 'RUNNING', waiting = true, due_time = now() + interval '1 hour', attempt = ${count},
          last_error = '{"reason": "PAYMENT_PROVIDER_UNAVAILABLE", "message": "it cannot be reached"}' WHERE saga_id = '${orderId}'`);
      await attempts(1);
      expect(await doctor(), 'once is nothing').to.match(/^OK +sagas /m);
      await attempts(5);
      const says = `1 saga of order fails and is tried again, such as ${orderId}, 5 times so far, for PAYMENT_PROVIDER_UNAVAILABLE: it cannot be reached`;
      expect(await doctor()).to.match(new RegExp(`^WARN +sagas +${says}; see \`npx mesh saga show ${orderId}\`$`, 'm'));
    });

    it('finds mails that wait, since none takes them', async () => {
      // Mails of the shop itself may wait as well: the users are not there to be asked for an address.
      await runSql(shop.databaseUrl, `INSERT INTO notification.notification (notification_id, event_id, kind, category, order_id, user_id, subject, body, state, due_time, attempt, reason, first_failure_time)
        SELECT id, id, 'ORDER_PLACED', 'ORDER', 'one', 'ada', '', '', 'PENDING', now() + interval '1 hour', 6, why, since FROM (VALUES
          ('one', 'the users cannot be asked for the address (UNREACHABLE)', now() - interval '3 hours'), ('two', 'the mail server cannot be reached (ESOCKET)', now())) AS given (id, why, since)`);
      expect(await doctor()).to.match(/^WARN +mails +\d+ mails fail and are tried again, for 3 h now; the last one, after 6 tries: the mail server cannot be reached \(ESOCKET\); .*SMTP_URL/m);
    });

    it('finds sagas that are stuck', async () => {
      await runSql(shop.databaseUrl, `UPDATE "order".saga SET status = 'STUCK', last_error = '{"reason": "CARD_DECLINED", "message": ""}' WHERE saga_id = '${orderId}'`);
      expect(await doctor()).to.match(new RegExp(`^FAIL +sagas +1 saga of order is stuck, such as ${orderId} for CARD_DECLINED; see \`npx mesh saga list --state stuck\``, 'm'));
    });

    it('finds events that nobody publishes, and those that the bus will never take', async () => {
      // Payment does not run here.
      const columns = 'INSERT INTO payment.outbox (event_id, type, key, payload, create_time, refused) VALUES';
      await runSql(shop.databaseUrl, `${columns} ('late', 'x.Y', 'k', '{}', now() - interval '3 minutes', NULL), ('large', 'x.Y', 'k', '{}', now(), 'too large')`);
      expect(await doctor())
        .to.match(/^WARN +events +1 event of payment waits to be published, the oldest for 3 min; /m)
        .and.match(/^FAIL +events +1 event of payment is set aside, since the bus will never take it; /m);
      expect((await here('lag')).stdout).to.match(/^payment +1 +3 min +1$/m);
    });
  });
});
