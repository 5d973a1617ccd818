import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { DescMessage } from '@bufbuild/protobuf';
import { expect } from 'chai';

import { parseDurationMs, REASONS } from '#kit';
import { describeMethod } from '#mesh';
import * as orderEvents from '#proto/shop/order/v1/order_events_pb.js';
import * as paymentEvents from '#proto/shop/payment/v1/payment_events_pb.js';
import * as shippingEvents from '#proto/shop/shipping/v1/shipping_events_pb.js';

import { SETTINGS } from '../../cli/settings.ts';
import { USUAL_RETRIES } from '../../saga/retry-policy.ts';
import { findServices } from '../mesh/idempotency/find-services.ts';

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'docs', 'orders.md'), 'utf8');

describe('docs/orders.md', () => {
  it('names settings and reasons that there are', () => {
    const named = found(/`([A-Z]+(?:_[A-Z]+)+)`/g);
    expect(named).to.have.length.above(10);
    expect([...Object.keys(SETTINGS), ...Object.keys(REASONS), 'REPEAT_ORIGINAL', 'REPEAT_RESOURCE']).to.include.members(named);
  });

  it('gives settings the defaults that they have', () => {
    const given = [...text.matchAll(/(\d+) (s|days|mails a second)\s\(`([A-Z_]+)`\)/g)];
    expect(given).to.have.length(5);
    for (const [, count = '', unit, name = ''] of given) {
      const value = unit === 's' ? parseDurationMs(`${count}s`) : unit === 'days' ? Number(count) * 24 * 3_600_000 : Number(count);
      expect(Object.entries(SETTINGS).find(([setting]) => setting === name)?.[1].default, name).to.equal(value);
    }
  });

  it('says how often steps are tried', () => {
    const { maxAttempts, maxRefusals, maxFaults } = USUAL_RETRIES;
    const words = text.replaceAll(/\s+/g, ' ');
    expect(words).to.contain(`stays unanswered is tried ${maxAttempts} times, with pauses of 0.1, 0.2, 0.4 … 5 s`);
    expect(words).to.contain(`A refusal is tried ${maxRefusals} times, about ten seconds, and a fault of the callee ${maxFaults} times`);
  });

  it('has every method that answers a repeat with its first answer', async () => {
    const methods = (await findServices()).flatMap((service) => service.methods);
    const original = methods.filter((method) => describeMethod(method).repeat === 'original').map(({ name }) => name);
    const row = /^\| `REPEAT_ORIGINAL` \|.*$/m.exec(text)?.[0] ?? '';
    expect([...row.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, name]) => name)).to.have.members(original);
  });

  it('has every event, by its topic', () => {
    const contracts = { 'shop.order.v1': orderEvents, 'shop.payment.v1': paymentEvents, 'shop.shipping.v1': shippingEvents };
    for (const [topic, contract] of Object.entries(contracts)) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${topic}\` |`)) ?? '';
      const events = Object.values<unknown>(contract).filter(isMessage).map(({ name }) => name);
      expect([...row.matchAll(/`([A-Z][A-Za-z]+)`/g)].map(([, name]) => name), topic).to.have.members(events);
    }
  });

  it('leads to sections and files that there are', () => {
    const sections = found(/^#+ (.+)$/gm).map((title) => `#${title.toLowerCase().replaceAll(' ', '-')}`);
    expect(sections).to.include.members(found(/\]\((#[^)]+)\)/g));
    // Those of mesh.md, deploy.md and README.md come here.
    for (const page of ['docs/mesh.md', 'docs/deploy.md', 'README.md']) {
      const links = [...readFileSync(join(root, page), 'utf8').matchAll(/orders\.md(#[^)]+)\)/g)].map(([, link]) => link);
      expect(sections, page).to.include.members(links);
    }
    const files = found(/`((?:test|services|proto)\/[^`*]+)`/g);
    expect(files).to.have.length.above(10);
    for (const file of files) expect(existsSync(join(root, file)), file).to.equal(true);
  });
});

/** What the first group of a pattern finds, each once. */
function found(pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, group = '']) => group))];
}

function isMessage(value: unknown): value is DescMessage {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'message';
}
