import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { breakingPolicies, breakingShapes } from '../../scripts/test/contracts/compare-images.ts';
import { baselineFile, buildImage } from '../../scripts/test/contracts/image.ts';
import { copyProject, type ProjectCopy, projectRoot } from './support/project-copy.ts';
import { runNode } from './support/run-node.ts';
import { createScratch } from './support/scratch.ts';

const { signal } = new AbortController();
const order = 'proto/shop/order/v1/order.proto';
const placeOrderDeadline = 'deadline: {seconds: 15}';

describe('contracts against the baseline', function () {
  this.timeout(30_000);
  let today: Buffer;
  let copy: ProjectCopy;
  before(async () => {
    const scratch = await createScratch();
    await buildImage(projectRoot, join(scratch.folder, 'today.binpb'), signal);
    today = await readFile(join(scratch.folder, 'today.binpb'));
    await scratch.remove();
  });
  beforeEach(async () => {
    copy = await copyProject();
    // Much may have been added since the last release: these tests begin with a baseline of today.
    await writeFile(join(copy.folder, baselineFile), today);
  });
  afterEach(() => copy.remove());

  const shapes = (): Promise<string[]> => breakingShapes(copy.folder, signal);
  const policies = (): Promise<string[]> => breakingPolicies(copy.folder, signal);
  const release = (...args: string[]) => runNode([join(copy.folder, 'scripts', 'release-baseline.ts'), ...args]);
  const baseline = (): Promise<Buffer> => readFile(join(copy.folder, baselineFile));

  it('pass as they are, and when something is added', async () => {
    await copy.edit(order, 'message PlaceOrderResponse {', 'message PlaceOrderResponse {\n  string note = 99;');
    expect(await shapes()).to.deep.equal([]);
    expect(await policies()).to.deep.equal([]);
  });

  it('fail when a field is removed', async () => {
    await copy.edit(order, /\n.*string payment_method = 7;/, '');
    const [problem] = await shapes();
    expect(problem).to.contain('field "7" with name "payment_method" on message "Order" was deleted');
  });

  it('fail when a contract is removed', async () => {
    await copy.edit(order, /^[^]*$/, 'syntax = "proto3";\npackage shop.order.v1;\n');
    expect((await shapes()).join('\n')).to.contain('service "OrderService" was deleted');
    // One finding a change: the methods that are gone are not reported twice.
    expect(await policies()).to.deep.equal([]);
  });

  it('fail when a deadline shrinks, which buf does not see', async () => {
    await copy.edit(order, placeOrderDeadline, 'deadline: {nanos: 500000000}');
    expect(await shapes()).to.deep.equal([]);
    const [problem] = await policies();
    expect(problem).to.contain('shop.order.v1.OrderService/PlaceOrder: the deadline shrank from 15000 ms to 500 ms');
  });

  it('fail when a deadline goes', async () => {
    await copy.edit(order, placeOrderDeadline, '');
    expect((await policies())[0]).to.contain('the deadline of 15000 ms is gone');
  });

  it('pass when a deadline grows', async () => {
    await copy.edit(order, placeOrderDeadline, 'deadline: {seconds: 20}');
    expect(await policies()).to.deep.equal([]);
  });

  it('fail when a repeat is answered in another way', async () => {
    await copy.edit(order, 'repeat: REPEAT_RESOURCE', 'repeat: REPEAT_ORIGINAL');
    expect((await policies())[0]).to.contain('a repeat was answered with RESOURCE and is now with ORIGINAL');
  });

  it('fail when an idempotency key goes or changes', async () => {
    await copy.edit(order, 'idempotency_key: "request_id"', 'idempotency_key: "user_id"');
    expect((await policies())[0]).to.contain('the idempotency key changed from request_id to user_id');
    await copy.edit(order, 'idempotency_key: "user_id"', '');
    expect((await policies())[0]).to.contain('the idempotency key request_id is gone');
  });

  it('fail when fewer may call, and when more may', async () => {
    await copy.edit(order, 'owner: {request_field: "user_id"}', 'roles: "staff"');
    expect(await shapes()).to.deep.equal([]);
    const [before, after] = ['the owner by user_id of the request', 'role staff'];
    expect(await policies()).to.deep.equal([
      `shop.order.v1.OrderService/PlaceOrder: the access narrowed from "${before}" to "${after}": calls by ${before} would be refused`,
      `shop.order.v1.OrderService/PlaceOrder: the access widened from "${before}" to "${after}": that ${after} may call is a decision about security`,
    ]);
  });

  it('move by a release when nothing breaks', async () => {
    const before = await baseline();
    await copy.edit(order, 'message PlaceOrderResponse {', 'message PlaceOrderResponse {\n  string note = 99;');
    const { code, stdout } = await release();
    expect(code, stdout).to.equal(0);
    expect((await baseline()).equals(before)).to.equal(false);
    await copy.edit(order, '\n  string note = 99;', '');
    expect(await shapes()).to.have.length(1);
  });

  it('do not move by a release that breaks callers, unless it is a major one', async () => {
    const before = await baseline();
    await copy.edit(order, placeOrderDeadline, 'deadline: {seconds: 1}');
    const refused = await release();
    expect(refused.code).to.equal(1);
    expect(refused.stderr).to.contain('the deadline shrank').and.to.contain('--major');
    expect((await baseline()).equals(before)).to.equal(true);
    expect((await release('--major')).code).to.equal(0);
    expect(await policies()).to.deep.equal([]);
  });

  it('the release script explains itself and refuses unknown options', async () => {
    expect((await release('--help')).stdout).to.contain('--major');
    const refused = await release('--minor');
    expect(refused.code).to.equal(2);
    expect(refused.stderr).to.contain('--minor');
  });
});
